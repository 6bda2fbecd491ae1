using System.Globalization;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.TestKit;

namespace Millrace.Gateway.Tests.Publishing;

/// <summary>A log with one append at a time, whose end the test says.</summary>
internal sealed class HandLog(TimeProvider time) : ForwardingLog(null!), IEventLog
{
    private IAppendOwner? _owner;
    private bool _refuses;

    public List<int> Taken { get; } = [];

    public HashSet<int> Durable { get; } = [];

    /// <summary>What is being appended.</summary>
    public int[]? UnderWay { get; private set; }

    /// <summary>When it was free last.</summary>
    public DateTimeOffset EndedAt { get; private set; }

    public void RefuseNext() => _refuses = true;

    public Exception? Append(TopicPartition partition, RecordBatchBuilder records, IAppendOwner owner)
    {
        Assert.That(UnderWay, Is.Null, "one append at a time");
        if (_refuses)
        {
            _refuses = false;
            return EventLogErrors.DiskFull.With("test").AsException();
        }

        var numbers = new List<int>();
        foreach (var record in new RecordBatch(partition, 0, records.Count, records.Bytes))
            numbers.Add(int.Parse(record.Value, CultureInfo.InvariantCulture));
        (UnderWay, _owner) = ([.. numbers], owner);
        Taken.AddRange(numbers);
        return null;
    }

    public void Succeed() => End(owner =>
    {
        Durable.UnionWith(UnderWay!);
        return () => owner.OnAppended(new OffsetRange(0, 1));
    });

    public void Fail() => End(owner => () => owner.OnAppendFailed(new IOException("test")));

    private void End(Func<IAppendOwner, Action> end)
    {
        if (_owner is not { } owner) return;
        var tell = end(owner);
        (UnderWay, _owner, EndedAt) = (null, null, time.GetUtcNow());
        tell();
    }
}
