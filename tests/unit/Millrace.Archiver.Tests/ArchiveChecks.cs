using Millrace.Archiver.Verification;

namespace Millrace.Archiver.Tests;

internal static class ArchiveChecks
{
    /// <summary>The archive has what the log has, by the platform's own checker and by a count of rows.</summary>
    public static async Task<List<Verification.Verification>> HoldsAsync(ArchiverHarness archive)
    {
        var parts = await RunAsync(archive);
        foreach (var part in parts)
        {
            Assert.That(part.Examples, Is.Empty);
            Assert.That(part.Holds);
            Assert.That(part.LogChecksum, Is.EqualTo(part.ArchiveChecksum));
        }

        var rows = await archive.SqlAsync("SELECT log_partition, log_offset FROM telemetry");
        Assert.That(rows, Is.Unique);
        Assert.That(parts.Sum(part => part.LogRecords), Is.EqualTo(await archive.RecordsInLogAsync()));
        Assert.That(rows, Has.Count.EqualTo(
            parts.Sum(part => part.LogRecords - part.DeadLettered - part.Erased - part.Retired)));
        return parts;
    }

    /// <param name="table">Telemetry's, when it is not said.</param>
    public static async Task<List<Verification.Verification>> RunAsync(
        ArchiverHarness archive, ArchiveTable? table = null)
    {
        table ??= archive.Get<ArchiveTables>().Telemetry;
        var parts = new List<Verification.Verification>();
        for (var partition = 0; partition < ArchiverHarness.Partitions; partition++)
            parts.Add(await archive.Get<ArchiveVerifier>().RunAsync(table, partition, 0, CancellationToken.None));
        return parts;
    }
}
