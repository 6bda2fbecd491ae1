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
    public abstract RecordFault Find(RecordView record, bool keyKnown, long recordBytesMax);

    public abstract RowColumns NewColumns();
}

/// <summary>Telemetry: each record is of a device, and some fields of its body have columns of their own.</summary>
internal sealed class TelemetryLayout(IReadOnlyList<PromotedColumn> promoted) : ArchiveLayout
{
    public override DeltaSchema Schema { get; } =
        new([.. TelemetryTable.BaseSchema.Columns, .. promoted.Select(column => column.ToDelta())]);

    public override RecordFault Find(RecordView record, bool keyKnown, long recordBytesMax) =>
        RecordFaults.Find(record, keyKnown, recordBytesMax);

    public override RowColumns NewColumns() => new TelemetryColumns(promoted);
}

/// <summary>Rows that a query wrote: JSON, and of a device or not.</summary>
internal sealed class OutputLayout(string topic) : ArchiveLayout
{
    public override DeltaSchema Schema => OutputTable.Schema;

    public override RecordFault Find(RecordView record, bool keyKnown, long recordBytesMax) =>
        RecordFaults.FindInOutput(record, keyKnown, recordBytesMax);

    public override RowColumns NewColumns() => new OutputColumns(topic);
}
