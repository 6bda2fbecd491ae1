using Millrace.Archiver.Rows;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.Delta.Schema;

namespace Millrace.Archiver.Files;

/// <summary>How a topic's records become rows of its table: which of them do, and the columns of one.</summary>
internal abstract class ArchiveLayout
{
    /// <summary>The columns that the table must have.</summary>
    public abstract DeltaSchema Schema { get; }

    /// <summary>What is wrong with a record whose key is known to be good when <paramref name="keyKnown"/>.</summary>
    /// <param name="latestMs">The latest time that is believed.</param>
    public abstract RecordFault Find(RecordView record, bool keyKnown, long recordBytesMax, long latestMs);

    public abstract RowColumns NewColumns();
}

/// <summary>Telemetry: each record is of a device, and some fields of its body have columns of their own.</summary>
internal sealed class TelemetryLayout(IReadOnlyList<PromotedColumn> promoted) : ArchiveLayout
{
    public override DeltaSchema Schema { get; } =
        new([.. TelemetryTable.BaseSchema.Columns, .. promoted.Select(column => column.ToDelta())]);

    public override RecordFault Find(RecordView record, bool keyKnown, long recordBytesMax, long latestMs) =>
        RecordFaults.Find(record, keyKnown, recordBytesMax, latestMs);

    public override RowColumns NewColumns() => new TelemetryColumns(promoted);
}

/// <summary>Rows that a query wrote: JSON, and of a device or not.</summary>
internal sealed class OutputLayout(string topic) : ArchiveLayout
{
    public override DeltaSchema Schema => OutputTable.Schema;

    public override RecordFault Find(RecordView record, bool keyKnown, long recordBytesMax, long latestMs) =>
        RecordFaults.FindInOutput(record, keyKnown, recordBytesMax, latestMs);

    public override RowColumns NewColumns() => new OutputColumns(topic);
}
