using Millrace.Primitives;

namespace Millrace.StreamProcessor.Queries;

/// <summary>What comes from outside of the log: reference data, and versions of models.</summary>
internal sealed partial class QueryOwner
{
    /// <summary>
    /// Takes what is joined and scored with for the first time; without it nothing can be answered. The checkpoint that
    /// has it is written before the first record.
    /// </summary>
    private async Task LookOutsideAsync(CancellationToken ct)
    {
        try
        {
            await _references.TakeFirstAsync(ct);
            _progress.Obstacle = null;
        }
        catch (MillraceException e)
        {
            _progress.Obstacle = e.Error.ToString();
            throw;
        }

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
