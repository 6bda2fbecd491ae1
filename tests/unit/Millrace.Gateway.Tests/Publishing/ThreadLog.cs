using System.Collections.Concurrent;
using System.Globalization;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.TestKit;

namespace Millrace.Gateway.Tests.Publishing;

/// <summary>A log that answers on a thread of its own.</summary>
internal sealed class ThreadLog : ForwardingLog, IEventLog, IDisposable
{
    private readonly BlockingCollection<Action> _answers = [];
    private readonly Thread _thread;
    private int _underWay;

    public ThreadLog() : base(null!)
    {
        _thread = new Thread(() =>
        {
            foreach (var answer in _answers.GetConsumingEnumerable()) answer();
        });
        _thread.Start();
    }

    public List<int> Taken { get; } = [];

    public Exception? Append(TopicPartition partition, RecordBatchBuilder records, IAppendOwner owner)
    {
        if (Interlocked.Increment(ref _underWay) > 1) throw new InvalidOperationException("two at once");
        _answers.Add(() =>
        {
            foreach (var record in new RecordBatch(partition, 0, records.Count, records.Bytes))
                Taken.Add(int.Parse(record.Value, CultureInfo.InvariantCulture));
            Interlocked.Decrement(ref _underWay);
            owner.OnAppended(new OffsetRange(0, 1));
        });
        return null;
    }

    public void Dispose()
    {
        _answers.CompleteAdding();
        _thread.Join();
        _answers.Dispose();
    }
}
