using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Binding;

/// <summary>What FROM names: an input or a step, with one branch for each part of a UNION below it.</summary>
internal sealed record Relation(string Name, IReadOnlyList<Branch> Branches)
{
    /// <summary>What gives its rows, when they are entries of reference data; null for a stream.</summary>
    public EntriesSyntax? Entries { get; init; }
}

/// <summary>Rows of one root that pass the filters, and their columns.</summary>
internal sealed record Branch(RowRoot Root, Expr[] Filters, RowNames Names);

/// <summary>The columns of a row, by name and in order.</summary>
internal abstract class RowNames
{
    /// <summary>The value of a path; null when there surely is no such column.</summary>
    public abstract Expr? Resolve(ReadOnlySpan<string> path);

    /// <summary>What "*" gives, in order.</summary>
    public abstract IEnumerable<ColumnItem> Items { get; }

    /// <summary>The names that are surely there, for suggestions.</summary>
    public abstract IEnumerable<string> Known { get; }

    /// <summary>The rows that a star among the columns takes its fields from.</summary>
    public virtual RowNames? BehindStar => null;

    /// <summary>How many stars stand behind one another.</summary>
    public virtual int StarDepth => 0;

    /// <summary>A property of the input's record; null when the rows are no input's any more.</summary>
    public abstract Expr? Meta(MetadataField field);

    /// <summary>What "*" gives when it stands for several sources.</summary>
    public virtual IEnumerable<ColumnItem> StarItems => Items;

    /// <summary>The row as a value, where the source's name may stand for it.</summary>
    public virtual Expr? Whole => null;

    /// <summary>The time of the row, also when it has become part of another.</summary>
    public virtual Expr Timestamp => new TimestampExpr();
}

/// <param name="Name">Null: all members of the record that Value gives.</param>
internal sealed record ColumnItem(string? Name, Expr Value);

/// <summary>An input's rows: any field may be there, metadata have fixed names.</summary>
internal sealed class InputNames(InputPlan input) : RowNames
{
    public override Expr Meta(MetadataField field) => input.Meta(field);

    public override IEnumerable<string> Known => MetadataNames.Top;

    public override IEnumerable<ColumnItem> Items => [new ColumnItem(null, input.Field([]))];

    public override Expr Resolve(ReadOnlySpan<string> path)
    {
        if (path.Length == 1 && MetadataNames.TryTop(path[0], out var field)) return input.Meta(field);
        if (path.Length >= 2 && MetadataNames.IsIoTHub(path[0]))
        {
            if (path.Length == 2 && MetadataNames.TryIoTHub(path[1], out field)) return input.Meta(field);
            return new MemberExpr(input.Meta(new MetadataField(MetadataKind.IoTHub)), path[1..].ToArray());
        }

        return input.Field(path);
    }
}

/// <summary>An input whose columns were declared: these are there, each of its type.</summary>
internal sealed class TableNames(InputNames input, IReadOnlyList<(string Name, ValueKind Type)> columns) : RowNames
{
    private readonly StepNames _columns = new(
        [.. columns.Select(column => new ColumnItem(column.Name,
            new CastExpr(input.Resolve([column.Name]), column.Type, isTry: true)))], null);

    public override IEnumerable<string> Known => _columns.Known.Concat(input.Known);

    public override IEnumerable<ColumnItem> Items => _columns.Items;

    public override Expr? Meta(MetadataField field) => input.Meta(field);

    public override Expr? Resolve(ReadOnlySpan<string> path) =>
        _columns.Resolve(path) ?? (MetadataNames.IsTop(path[0]) ? input.Resolve(path) : null);

    /// <summary>What a row must fulfil.</summary>
    public IReadOnlyList<Expr> Checks =>
        [.. columns.Select(column => new FitsExpr(input.Resolve([column.Name]), column.Type))];
}

/// <summary>What APPLY gives: an element with its index, or a member with its name.</summary>
internal sealed class ElementNames(string alias, IReadOnlyList<ColumnItem> columns) : RowNames
{
    private readonly StepNames _columns = new(columns, null);

    public override IEnumerable<string> Known => _columns.Known;

    public override IEnumerable<ColumnItem> Items => columns;

    public override IEnumerable<ColumnItem> StarItems => [new ColumnItem(alias, Whole)];

    public override Expr Whole => new RecordExpr(OutputColumns.Of(columns));

    public override Expr? Meta(MetadataField field) => null;

    public override Expr? Resolve(ReadOnlySpan<string> path) => _columns.Resolve(path);
}

/// <summary>A step's rows: its columns, and through its stars those of its source.</summary>
internal sealed class StepNames(IReadOnlyList<ColumnItem> items, RowNames? behindStar) : RowNames
{
    private Dictionary<string, int>? _indexes;
    private Dictionary<string, int>? _indexesOfAnyCase;

    public override IEnumerable<ColumnItem> Items => items;

    public override RowNames? BehindStar => behindStar;

    public override int StarDepth { get; } = behindStar is null ? 0 : 1 + behindStar.StarDepth;

    public override Expr? Meta(MetadataField field) => behindStar?.Meta(field);

    public override IEnumerable<string> Known =>
        items.Where(item => item.Name is not null).Select(item => item.Name!).Concat(behindStar?.Known ?? []);

    public override Expr? Resolve(ReadOnlySpan<string> path)
    {
        var (index, column) = Find(path[0]);
        if (column is null) return behindStar?.Resolve(path) ?? FromRecords(path);
        var value = path.Length == 1 ? column.Value : new MemberExpr(column.Value, path[1..].ToArray());
        var starsBefore = items.Take(index).Where(item => item.Name is null).Select(item => item.Value).ToArray();
        if (starsBefore.Length == 0) return value;
        var behind = new MemberOfFirst(starsBefore, path[0], path[1..].ToArray(), value);
        return behind;
    }

    private (int Index, ColumnItem? Column) Find(string name)
    {
        _indexes ??= IndexesOf(StringComparer.Ordinal);
        if (_indexes.TryGetValue(name, out var index)) return (index, items[index]);
        _indexesOfAnyCase ??= IndexesOf(StringComparer.OrdinalIgnoreCase);
        return _indexesOfAnyCase.TryGetValue(name, out index) ? (index, items[index]) : (-1, null);
    }

    private Dictionary<string, int> IndexesOf(StringComparer comparer)
    {
        var indexes = new Dictionary<string, int>(comparer);
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i].Name is { } name) indexes.TryAdd(name, i);
        }

        return indexes;
    }

    /// <summary>A member of a record.* column.</summary>
    private Expr? FromRecords(ReadOnlySpan<string> path)
    {
        var records = items.Where(item => item.Name is null).Select(item => item.Value).ToArray();
        return records.Length == 0
            ? null
            : new MemberOfFirst(records, path[0], path[1..].ToArray(), new ConstantExpr(Values.Value.Null));
    }
}
