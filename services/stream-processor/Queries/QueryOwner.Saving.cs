using System.Buffers;
using Millrace.Contracts;
using Millrace.Stores.Checkpoints;
using Millrace.StreamProcessor.Sinks;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// Checkpoints: state and positions, moved together. A state is taken between two batches, and may be on its way to the
/// store while the next are answered: whoever takes over meanwhile begins from the one before, as after any crash.
/// </summary>
internal sealed partial class QueryOwner
{
    private readonly PatientWrite _saving;
    private long _recordsSinceSave;
    private long _savedAt;
    private bool _changed;

    /// <summary>
    /// Saves what was answered until now while answers go on; a store that is away meanwhile is tried again. What fails
    /// is thrown by the next call that saves, or at the next look at the clock. Waits for one that is on its way.
    /// </summary>
    public async Task BeginSaveAsync(CancellationToken ct)
    {
        await _saving.SettleAsync();
        // Limits hold until the checkpoint is durable, and not for a record more.
        if (_engine.HasLimits) await SaveAsync(ct);
        else if (Take() is { } checkpoint) _saving.Begin(() => new ValueTask(StoreAsync(checkpoint, ct)));
    }

    /// <summary>What was answered until now is durable when it returns.</summary>
    public async Task SaveAsync(CancellationToken ct)
    {
        await _saving.SettleAsync();
        if (Take() is not { } checkpoint) return;
        await StoreAsync(checkpoint, ct);
        _engine.LiftLimits();
    }

    /// <summary>
    /// Null when nothing changed since the last time, and while rows of an owner before are known that were not made
    /// again yet: whoever comes next has to find them too.
    /// </summary>
    private Checkpoint? Take()
    {
        _savedAt = _services.Time.GetTimestamp();
        if (!_changed || IsCatchingUp) return null;
        var state = new ArrayBufferWriter<byte>();
        _engine.Save(state);
        (_recordsSinceSave, _changed) = (0, false);
        return new Checkpoint(
            _engine.Positions, _writer.Positions, state.WrittenSpan.ToArray(), _services.Time.GetUtcNow());
    }

    private async Task StoreAsync(Checkpoint checkpoint, CancellationToken ct)
    {
        var (started, takenAt) = (_services.Time.GetTimestamp(), _savedAt);
        if (!await _services.Checkpoints.SaveAsync(_place.Key, _epoch, checkpoint, ct)) throw Stale();
        _progress.Saved(_place.Partition, takenAt, isAll: !_changed);
        _progress.WentOn(_place);
        await HoldAsync(checkpoint.Inputs, checkpoint.Outputs, ct);
        StreamProcessorMetrics.CheckpointMs.Record(_services.Time.GetElapsedTime(started).TotalMilliseconds, _query);
    }

    /// <summary>
    /// Tells retention (and lag) what is still to be read, of the inputs and of the outputs. The checkpoint rules.
    /// </summary>
    private Task HoldAsync(
        IReadOnlyList<PartitionOffset> inputs, IReadOnlyList<PartitionOffset> outputs, CancellationToken ct)
    {
        return Task.WhenAll([
            .. inputs.Select(position => CommitAsync(_place.InputGroup, position)),
            .. outputs.DistinctBy(position => position.Partition)
                .Select(position => CommitAsync(_place.OutputGroup, position))]);

        Task CommitAsync(string group, PartitionOffset position) =>
            _services.Log.CommitAsync(group, position.Partition, position.Offset, null, ct).AsTask();
    }
}
