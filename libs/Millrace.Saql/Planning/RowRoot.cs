using Millrace.Saql.Expressions;
using Millrace.Saql.Json;

namespace Millrace.Saql.Planning;

/// <summary>
/// Where rows come into being: an input or a window. Steps without a window have no part of their own: what reads
/// them evaluates their conditions and columns on the root's rows.
/// </summary>
internal abstract class RowRoot
{
    /// <summary>What takes the rows, in order of the text.</summary>
    public List<Inlet> Inlets { get; } = [];

    public List<OutputPlan> Outputs { get; } = [];

    /// <summary>Functions that look at earlier rows; computed before anything else reads a row.</summary>
    public List<AnalyticInlet> Analytics { get; } = [];

    public int SlotCount { get; private set; }

    public int NewSlot() => SlotCount++;

    /// <summary>Roots of one pipeline share a timeline.</summary>
    public int Pipeline { get; set; } = -1;
}

/// <summary>What may keep state of rows, and so may have places of its own.</summary>
internal interface IPlaced;

/// <summary>What reads the rows of a root.</summary>
internal interface IReader
{
    /// <summary>What a row passes to be taken.</summary>
    Expr[] Filters { get; }

    /// <summary>What is computed of a row that is taken.</summary>
    IEnumerable<Expr> Taken { get; }

    IEnumerable<Expr> Reads => Filters.Concat(Taken);
}

/// <summary>A part of a plan that takes rows and makes new ones, and may keep state between them.</summary>
internal abstract class OperatorPlan : RowRoot, IPlaced
{
    /// <summary>The place among the plan's operators: none reads a later one.</summary>
    public int Number { get; set; } = -1;

    /// <summary>All rows that meet in its state come from one log partition.</summary>
    public bool IsPartitionLocal { get; set; }
}

/// <summary>How rows of one root come into an operator.</summary>
internal abstract class Inlet(OperatorPlan target, Expr[] filters) : IReader
{
    public OperatorPlan Operator => target;

    public Expr[] Filters => filters;

    public abstract IEnumerable<Expr> Taken { get; }
}

/// <summary>What is read from an input's records.</summary>
internal sealed class InputPlan(string name)
{
    private readonly Dictionary<MetadataField, SlotExpr> _metadata = [];

    public string Name => name;

    public FieldNode Fields { get; } = new("");

    public IReadOnlyDictionary<MetadataField, SlotExpr> Metadata => _metadata;

    public int SlotCount { get; private set; }

    public Expr Field(ReadOnlySpan<string> path) => new SlotExpr(Fields.Require(path, () => SlotCount++).Slot,
        path.IsEmpty ? Values.ValueKind.Record : null);

    public SlotExpr Meta(MetadataField field)
    {
        if (_metadata.TryGetValue(field, out var known)) return known;
        return _metadata[field] = new SlotExpr(SlotCount++, field.Type, field.SeparatesPartitions,
            field.Kind == MetadataKind.DeviceId);
    }
}

/// <summary>An input under one choice of timestamps.</summary>
internal sealed class FeedPlan(int number, InputPlan input) : RowRoot
{
    public int Number => number;

    public InputPlan Input => input;

    /// <summary>Null: the arrival is the timestamp.</summary>
    public Expr? TimestampBy { get; set; }

    /// <summary>What parts the rows into substreams, each with an order of its own.</summary>
    public IReadOnlyList<Expr> Over { get; set; } = [];

    /// <summary>The substreams as written, which grouping must name.</summary>
    public IReadOnlyList<string> OverTexts { get; set; } = [];

    /// <summary>
    /// Rows of different substreams never meet, so that each substream can go on without waiting for the others.
    /// </summary>
    public bool HasTimelines { get; set; }

    /// <summary>
    /// The same where each key is answered for itself: all rows of a substream go to one place, also of the inputs that
    /// this one is ordered with.
    /// </summary>
    public bool HasTimelinesByKey { get; set; }

    /// <summary>What a row must fulfil to have the types that were declared; else it is dropped.</summary>
    public IReadOnlyList<Expr> Checks { get; set; } = [];

    /// <summary>The text of TIMESTAMP BY, by which feeds are told apart.</summary>
    public string TimestampKey { get; init; } = "";

    /// <summary>The same as written, for people.</summary>
    public string TimestampText { get; init; } = "";
}

internal enum MetadataKind : byte
{
    EnqueuedTime,
    ProcessedTime,
    PartitionId,
    DeviceId,

    /// <summary>The record IoTHub as a whole.</summary>
    IoTHub,

    /// <summary>A header of the record, by name.</summary>
    Header,

    /// <summary>All application properties as a record.</summary>
    Properties,

    /// <summary>The record EventHub as a whole.</summary>
    EventHub,

    /// <summary>Where the record lies in its partition.</summary>
    Offset,

    /// <summary>A name of the event that is the same whenever it is read.</summary>
    EventId,
}

/// <param name="Name">The header's name; else empty.</param>
internal readonly record struct MetadataField(MetadataKind Kind, string Name = "")
{
    public Values.ValueKind? Type => Kind switch
    {
        MetadataKind.EnqueuedTime or MetadataKind.ProcessedTime => Values.ValueKind.DateTime,
        MetadataKind.PartitionId or MetadataKind.Offset => Values.ValueKind.BigInt,
        MetadataKind.IoTHub or MetadataKind.EventHub or MetadataKind.Properties => Values.ValueKind.Record,
        _ => Values.ValueKind.Text,
    };

    public bool SeparatesPartitions => Kind is MetadataKind.PartitionId or MetadataKind.DeviceId;

    /// <summary>As an author writes it.</summary>
    public override string ToString() => Kind switch
    {
        MetadataKind.EnqueuedTime => "EventEnqueuedUtcTime",
        MetadataKind.ProcessedTime => "EventProcessedUtcTime",
        MetadataKind.PartitionId => "PartitionId",
        MetadataKind.DeviceId => "IoTHub.ConnectionDeviceId",
        MetadataKind.IoTHub => "IoTHub",
        MetadataKind.Properties => "application properties",
        MetadataKind.EventHub or MetadataKind.EventId => Kind.ToString(),
        MetadataKind.Offset => "EventHub.Offset",
        _ => $"header {Name}",
    };
}
