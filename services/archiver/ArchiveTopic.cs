using System.Globalization;
using Microsoft.Extensions.Logging;
using Millrace.Archiver.Files;
using Millrace.Archiver.Rows;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.Delta.Schema;

namespace Millrace.Archiver;

/// <summary>A topic whose records become rows of a table of its own.</summary>
/// <param name="Name">The topic.</param>
/// <param name="Output">The query output that it is; null for telemetry.</param>
/// <param name="Group">Under which the log knows how far it is archived.</param>
/// <param name="RollBytes">Rows become files when their records have this size.</param>
/// <param name="ReadBytes">How much is read from a partition at once.</param>
/// <param name="LayoutOver">The layout of rows, given the columns that the table has already.</param>
internal sealed record ArchiveTopic(
    string Name, string? Output, string Group, ArchiveTable Table, long RollBytes, int ReadBytes,
    Func<DeltaSchema?, ArchiveLayout> LayoutOver)
{
    public static ArchiveTopic Telemetry(ArchiveTables tables, ArchiverOptions options, ILogger logger)
    {
        var promoted = PromotedColumn.From(options);
        return new ArchiveTopic(
            Topics.Telemetry, null, ConsumerGroups.Archiver, tables.Telemetry, options.RollSize.Bytes,
            (int)options.ReadSize.Bytes,
            known => new TelemetryLayout(PromotedColumn.Beside(known, promoted, logger.ColumnTypeChanged)));
    }

    public static ArchiveTopic OfOutput(string output, ArchiveTables tables, ArchiverOptions options)
    {
        var topic = Topics.Output(output);
        var roll = options.OutputRollSize.Bytes;
        return new ArchiveTopic(topic, output, ConsumerGroups.OfArchive(output), tables.Output(output), roll,
            (int)Math.Min(options.ReadSize.Bytes, Math.Max(1, roll / 8)), _ => new OutputLayout(topic));
    }

    /// <summary>Under what the table knows how far it has come in the partition.</summary>
    public string AppIdOf(int partition) => string.Create(CultureInfo.InvariantCulture, $"{Name}/{partition}");

    /// <summary>The epochs that were seen up to the table's position: rows of lower ones do not count.</summary>
    public IEnumerable<KeyValuePair<string, long>> EpochsOf(DeltaSnapshot snapshot, int partition)
    {
        var prefix = OutputTable.EpochIdOf(partition, "");
        return Output is null
            ? []
            : snapshot.Transactions.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))
                .Select(pair => KeyValuePair.Create(pair.Key[prefix.Length..], pair.Value.Version));
    }
}
