using Millrace.Contracts;
using Millrace.Stores.Checkpoints;

namespace Millrace.StreamProcessor.Queries;

/// <summary>What comes from outside of the log: reference data, versions of models, and the clock.</summary>
internal sealed partial class QueryOwner
{
    /// <summary>
    /// Records with a time that is not believed now fail, and do so when they are read again later: that is durable
    /// before they are answered. It holds until the next checkpoint, behind which it is looked at again.
    /// </summary>
    private async ValueTask LimitAsync(RecordBatch batch, CancellationToken ct)
    {
        if (_place.Stage == QueryStage.Target) return;
        var latest = _services.Clock.LatestMs(batch.Partition.Topic);
        if (FirstLater(batch, latest) is not { } offset) return;
        var mark = TimeMark.Limit(batch.Partition, offset, latest);
        await _saving.SettleAsync();
        if (!await _services.Checkpoints.AddMarkAsync(_place.Key, _epoch, mark, ct)) throw Stale();
        _engine.Limit(batch.Partition, offset, latest);
    }

    /// <summary>The first that is later, and that no limit refuses already.</summary>
    private long? FirstLater(RecordBatch batch, long latestMs)
    {
        foreach (var record in batch)
        {
            if (record.TimestampMs > latestMs && _engine.LimitAt(batch.Partition, record.Offset) == long.MaxValue)
                return record.Offset;
        }

        return null;
    }

    /// <summary>
    /// Takes what is joined and scored with for the first time; without it nothing can be answered. The checkpoint that
    /// has it is written before the first record.
    /// </summary>
    private async Task LookOutsideAsync(CancellationToken ct)
    {
        await _references.TakeFirstAsync(ct);
        await RefreshModelsAsync(ct);
        _changed = true;
        await SaveAsync(ct);
    }

    /// <summary>
    /// Takes reference data, and the promoted versions of models, as they are now. The checkpoint that has them is
    /// written before the next record, so that whoever takes over answers with the same.
    /// </summary>
    private async Task RefreshAsync(CancellationToken ct)
    {
        var isChanged = _references.TakeNew();
        if (_services.Time.GetElapsedTime(_modelsAt) >= _services.Options.ReferenceInterval)
            isChanged |= await RefreshModelsAsync(ct);
        if (!isChanged) return;
        _changed = true;
        await SaveAsync(ct);
    }

    private async Task<bool> RefreshModelsAsync(CancellationToken ct)
    {
        _modelsAt = _services.Time.GetTimestamp();
        return await _services.Models.RefreshAsync(_engine, _place.Config.Name, _place.Partition, ct);
    }
}
