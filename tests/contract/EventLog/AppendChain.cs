using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>Appends one record after the other, each as soon as the one before is durable.</summary>
internal sealed class AppendChain(IEventLog log, TopicPartition partition, int count) : IAppendOwner
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<OffsetRange> _offsets = [];
    private readonly RecordBatchBuilder _records = new();

    /// <summary>Where each record came to stand.</summary>
    public async Task<IReadOnlyList<OffsetRange>> RunAsync()
    {
        Next();
        await _done.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
        _records.Dispose();
        return _offsets;
    }

    public void OnAppended(OffsetRange offsets)
    {
        _offsets.Add(offsets);
        if (_offsets.Count == count) _done.SetResult();
        else Next();
    }

    public void OnAppendFailed(Exception failure) => _done.TrySetException(failure);

    private void Next()
    {
        _records.Clear();
        _records.Begin(0, "key"u8);
        _records.End("body"u8);
        if (log.Append(partition, _records, this) is { } refusal) _done.TrySetException(refusal);
    }
}
