using Millrace.Archiver.Replays;

namespace Millrace.Archiver.Upkeep;

/// <summary>
/// Takes a device out of all that the archive and the jobs have of it: telemetry, then what was made of it. Telemetry's
/// table says last that it is done, so that nothing was left out where it says so.
/// </summary>
internal sealed class DeviceErasure(
    ArchiveTables tables, DeviceEraser eraser, JobTableEraser jobs, ErasedLetters letters)
{
    public async ValueTask<Erased> RunAsync(string deviceId, CancellationToken ct)
    {
        var telemetry = await eraser.RewriteAsync(tables.Telemetry, deviceId, ct).ConfigureAwait(false);
        var (rows, files, jobRows) = (0L, 0, 0L);
        foreach (var output in await tables.OutputsAsync(ct).ConfigureAwait(false))
        {
            var one = await eraser.RunAsync(output, deviceId, ct).ConfigureAwait(false);
            (rows, files) = (rows + one.Rows, files + one.FilesRewritten);
        }

        foreach (var job in await tables.JobsAsync(ct).ConfigureAwait(false))
        {
            var one = await jobs.RunAsync(job, deviceId, ct).ConfigureAwait(false);
            (jobRows, files) = (jobRows + one.Rows, files + one.Files);
        }

        var emptied = await letters.EmptyAsync(deviceId, ct).ConfigureAwait(false);
        var all = telemetry is null
            ? new Erased(ArchiveRecords.HashOf(deviceId), 0, 0, -1)
            : await eraser.RecordAsync(telemetry, ct).ConfigureAwait(false);
        return all with
        {
            Rows = all.Rows + rows,
            FilesRewritten = all.FilesRewritten + files,
            JobRows = jobRows,
            DeadLetters = emptied,
        };
    }
}
