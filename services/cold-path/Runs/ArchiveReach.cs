using Microsoft.Extensions.Options;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Models;
using Millrace.Delta;
using Millrace.ObjectStore;

namespace Millrace.ColdPath.Runs;

/// <summary>
/// How far back telemetry is in the archive. Results of before that stand, but cannot be made again: a run would put
/// nothing, or less, in their place.
/// </summary>
internal sealed class ArchiveReach(
    IObjectStore store, IOptions<DeltaTableOptions> options, ColdPathMetrics metrics, TimeProvider time) : IDisposable
{
    private readonly DeltaTable _archive = new(store, TelemetryTable.Root, time, options.Value);

    /// <summary>CP-0017 when something of what the part is made of went for its age.</summary>
    public async Task CheckAsync(JobDefinition job, TimePart part, CancellationToken ct)
    {
        if (await BeginOfAsync(job, ct).ConfigureAwait(false) is not { } begin || part.From >= begin) return;
        metrics.PartsGone(job.Name, 1);
        throw ColdPathErrors.PartGone.With($"{job.Name} {part.Name}", $"Telemetry begins at {begin:u}.").AsException();
    }

    /// <summary>What the job can be made of begins here; null when nothing went.</summary>
    public async ValueTask<DateTimeOffset?> BeginOfAsync(JobDefinition job, CancellationToken ct)
    {
        if (!IsOfTelemetry(job)) return null;
        var snapshot = await _archive.RefreshAsync(ct).ConfigureAwait(false);
        return snapshot is null ? null : RetentionRecord.KeptFrom(snapshot, TelemetryTable.Root);
    }

    public void Dispose() => _archive.Dispose();

    /// <summary>Training adds a version and replaces nothing. A class reads telemetry.</summary>
    private static bool IsOfTelemetry(JobDefinition job) => job.Model?.Does != ModelStep.Train
        && job.Sql?.Contains(TelemetryTable.Root, StringComparison.OrdinalIgnoreCase) != false;
}
