using System.Text;
using Millrace.Archiver.Replays;

namespace Millrace.Archiver.Upkeep;

/// <summary>Whether a device is erased, from all that an erasure reaches: telemetry's table and what follows.</summary>
internal sealed record DeviceProof(
    string DeviceHash, string Table, long Version, IReadOnlyList<ErasureRecord> Records, int FilesRead,
    long ErasedRowsFound, long LaterRows, int OldFiles, DateTimeOffset? OldFilesGoBy)
{
    /// <summary>The same of the tables of query outputs.</summary>
    public required IReadOnlyList<ErasureProof> Outputs { get; init; }

    /// <summary>The same of the results of jobs; the positions of their records are milliseconds since 1970.</summary>
    public required IReadOnlyList<ErasureProof> Jobs { get; init; }

    /// <summary>Dead letters of before the erasure that have the device as their key yet.</summary>
    public required int DeadLettersFound { get; init; }

    /// <summary>Why this proves nothing, a sentence each; empty when the device is erased.</summary>
    public required IReadOnlyList<string> Unproven { get; init; }

    /// <summary>Where else the device may be known: no erasure changes it, and this did not look there.</summary>
    public required IReadOnlyList<string> NotLookedAt { get; init; }
}

/// <summary>Looks at all that <see cref="DeviceErasure"/> reaches.</summary>
internal sealed class DeviceProver(
    ArchiveTables tables, ErasureProver prover, JobTableProver jobProver, ErasedLetters letters)
{
    private static readonly string[] Elsewhere =
        ["results/", "models/", "column cache", "event log", "warm store", "registry"];

    public async ValueTask<DeviceProof> ProveAsync(string deviceId, CancellationToken ct)
    {
        var outputs = new List<ErasureProof>();
        foreach (var output in await tables.OutputsAsync(ct).ConfigureAwait(false))
            outputs.Add(await prover.ProveAsync(output, deviceId, ct).ConfigureAwait(false));
        var telemetry = await prover.ProveAsync(tables.Telemetry, deviceId, ct).ConfigureAwait(false);

        var (jobs, nameless) = (new List<ErasureProof>(), new List<string>());
        var erasedAt = telemetry.Records.Where(record => record.Done is not null)
            .Select(record => (DateTimeOffset?)record.At).Max();
        foreach (var table in await tables.JobsAsync(ct).ConfigureAwait(false))
        {
            if (await jobProver.ProveAsync(table, deviceId, erasedAt, ct).ConfigureAwait(false) is { } job)
                jobs.Add(job);
            else nameless.Add(table.Root);
        }

        var found = await LettersAsync(deviceId, erasedAt, ct).ConfigureAwait(false);
        return new DeviceProof(telemetry.DeviceHash, telemetry.Table, telemetry.Version, telemetry.Records,
            telemetry.FilesRead, telemetry.ErasedRowsFound, telemetry.LaterRows, telemetry.OldFiles,
            telemetry.OldFilesGoBy)
        {
            Outputs = outputs,
            Jobs = jobs,
            DeadLettersFound = found,
            Unproven =
            [
                .. telemetry.Records.Count == 0 ? ["No erasure of the device is recorded."] : Array.Empty<string>(),
                .. telemetry.Gaps, .. outputs.Concat(jobs).SelectMany(table => table.Gaps),
                .. found > 0 ? [$"{found} dead letters of before the erasure have the device."] : Array.Empty<string>(),
            ],
            NotLookedAt = [.. nameless, .. Elsewhere],
        };
    }

    private async ValueTask<int> LettersAsync(string deviceId, DateTimeOffset? erasedAt, CancellationToken ct)
    {
        if (erasedAt is not { } at) return 0;
        var found = 0;
        await foreach (var page in letters.PagesAsync(Encoding.UTF8.GetBytes(deviceId), ct).ConfigureAwait(false))
        {
            // A record of before may fail later, and one whose time is wrong may have failed before.
            found += page.Count(letter =>
                letter.FirstFailedAt <= at || letter.TimestampMs <= at.ToUnixTimeMilliseconds());
        }

        return found;
    }
}
