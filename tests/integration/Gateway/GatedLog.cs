using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Local;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>
/// The local log behind a gate: telemetry can be made to wait, or to fail, before it reaches the disk. While nothing is
/// in the way it is the log itself, whose threads tell the owners.
/// </summary>
internal sealed class GatedLog(LocalLog log) : ForwardingLog(log), IEventLog
{
    private volatile TaskCompletionSource _gate = Opened();
    private volatile TaskCompletionSource _ranges = Opened();
    private volatile bool _isFull;
    private volatile bool _isInDoubt;
    private volatile bool _refusesLifecycle;
    private volatile bool _refusesCommits;
    private volatile bool _refusesToSettle;
    private long _commitsRefused;

    public void Shut() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open()
    {
        _gate.TrySetResult();
        _ranges.TrySetResult();
    }

    /// <summary>Where telemetry goes on is not told until the gate is opened.</summary>
    public void HideRanges() =>
        _ranges = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>From now on telemetry is refused as on a full disk, or not any more.</summary>
    public void Fill(bool full) => _isFull = full;

    /// <summary>From now on telemetry is written, and said to be perhaps not written; or not any more.</summary>
    public void Doubt(bool doubt) => _isInDoubt = doubt;

    /// <summary>From now on the lifecycle topic takes nothing, or takes records again.</summary>
    public void RefuseLifecycle(bool refuse) => _refusesLifecycle = refuse;

    public long CommitsRefused => Interlocked.Read(ref _commitsRefused);

    /// <summary>From now on no position is kept, or they are again.</summary>
    public void RefuseCommits(bool refuse) => _refusesCommits = refuse;

    /// <summary>From now on it is not told what was appended before, or it is again.</summary>
    public void RefuseToSettle(bool refuse) => _refusesToSettle = refuse;

    private bool IsInTheWay => !_gate.Task.IsCompleted || _isFull || _isInDoubt || _refusesLifecycle;

    public Exception? Append(TopicPartition partition, RecordBatchBuilder records, IAppendOwner owner)
    {
        var log = IsInTheWay ? new Awaited(this) : Inner;
        return log.Append(partition, records, owner);
    }

    public override async ValueTask<OffsetRange> AppendAsync(
        TopicPartition partition, RecordBatchBuilder records, CancellationToken ct = default)
    {
        if (partition.Topic == Contracts.Topics.Lifecycle && _refusesLifecycle)
            throw EventLogErrors.DiskFull.With("test").AsException();
        if (partition.Topic != Contracts.Topics.Telemetry) return await Inner.AppendAsync(partition, records, ct);
        await _gate.Task;
        if (_isFull) throw EventLogErrors.DiskFull.With("test").AsException();
        var written = await Inner.AppendAsync(partition, records, ct);
        return _isInDoubt ? throw EventLogErrors.AppendUncertain.With(partition, "test").AsException() : written;
    }

    public override async ValueTask<OffsetRange> RangeAsync(TopicPartition partition, CancellationToken ct = default)
    {
        if (partition.Topic == Contracts.Topics.Telemetry) await _ranges.Task;
        return await Inner.RangeAsync(partition, ct);
    }

    public override ValueTask<OffsetRange> SettledRangeAsync(
        TopicPartition partition, CancellationToken ct = default) =>
        _refusesToSettle ? throw EventLogErrors.DiskFull.With("test").AsException() : RangeAsync(partition, ct);

    public override ValueTask CommitAsync(
        string group, TopicPartition partition, long nextOffset, string? metadata = null,
        CancellationToken ct = default)
    {
        if (!_refusesCommits) return Inner.CommitAsync(group, partition, nextOffset, metadata, ct);
        Interlocked.Increment(ref _commitsRefused);
        throw EventLogErrors.DiskFull.With("test").AsException();
    }

    private static TaskCompletionSource Opened()
    {
        var gate = new TaskCompletionSource();
        gate.SetResult();
        return gate;
    }

    /// <summary>Awaits each append, and tells the owner what came of it.</summary>
    private sealed class Awaited(IEventLog log) : ForwardingLog(log);
}
