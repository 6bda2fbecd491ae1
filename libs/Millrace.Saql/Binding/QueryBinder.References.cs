using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>Reference data, which streams are joined with: as it is, or through SELECTs of its entries.</summary>
internal sealed partial class QueryBinder
{
    private readonly HashSet<string> _references = [];

    /// <summary>What gives the source's rows, when they are entries of reference data; null for a stream.</summary>
    private EntriesSyntax? EntriesOf(FromSyntax from)
    {
        if (from.Query is { } query) return EntriesOf(query);
        if (_steps.TryGetValue(from.Name, out var step)) return step.Entries;
        var name = references.FirstOrDefault(known => known.Equals(from.Name, StringComparison.OrdinalIgnoreCase));
        return name is null ? null : new EntriesSyntax(name, null, null);
    }

    private EntriesSyntax? EntriesOf(QuerySyntax query) => query.Branches is [{ From: { } from }, ..]
        && EntriesOf(from) is { } behind ? new EntriesSyntax(behind.Reference, query, behind) : null;

    /// <summary>A step that gives entries is bound anew where it is joined with; here what is wrong is told.</summary>
    private Relation EntriesStep(StepSyntax step, EntriesSyntax entries)
    {
        var plan = new ReferencePlan(isOuter: false, new InputPlan(entries.Reference));
        var fields = Fields(plan, new FromSyntax(step.Name, step.Place, null));
        return new Relation(step.Name, [Through(entries, fields).Branch]) { Entries = entries };
    }

    private List<RowScope> BindReference(List<RowScope> left, SourceJoinSyntax syntax, EntriesSyntax entries)
    {
        var written = syntax.Source;
        if (written.TimestampBy is not null)
            diagnostics.Add(SaqlErrors.MisplacedTimestampBy, written.TimestampBy.Place, "Reference data has no time.");
        _references.Add(entries.Reference);
        var join = new ReferencePlan(syntax.IsOuter, new InputPlan(entries.Reference)) { IsPartitionLocal = true };
        var fields = Fields(join, written);
        var keys = EqualityKeys.Of(syntax.On, left, [Through(entries, fields)], diagnostics);
        join.Left = new CarriedSide(join, left.Count);
        join.Right = new CarriedSide(join, 1);
        join.Keys = [.. keys.Select(key => key.Right[0])];
        var scope = JoinedScope(join, left, join.Left, [fields], join.Right, syntax.Place);

        // The fields of an entry come into the row, and what SELECTs make of them is computed there: when that fails,
        // it is the row that fails.
        var made = Through(entries, scope with { Sources = [scope.Sources[^1]] });
        scope = scope with { Sources = [.. scope.Sources.SkipLast(1), made.Sources[0]] };
        join.Condition = made.Branch.Filters.Append(new RowBinder(scope, diagnostics, "ON").BindFilter(syntax.On))
            .Aggregate((all, one) => new AndExpr(all, one));
        join.Text = diagnostics.LineOf(syntax.On.Place);
        join.EntryFilterTexts = [.. FiltersOf(entries)];
        for (var i = 0; i < left.Count; i++) AddInlet(join, left[i], true, i, join.Left, i, keys);
        _builder.Add(join);
        return [scope];
    }

    private IEnumerable<string> FiltersOf(EntriesSyntax? entries)
    {
        if (entries is null) return [];
        var behind = FiltersOf(entries.Behind);
        return entries.Query?.Branches[0].Where is { } filter
            ? behind.Append(diagnostics.LineOf(filter.Place))
            : behind;
    }

    /// <summary>An entry as it is, under the names of the source.</summary>
    private RowScope Fields(ReferencePlan join, FromSyntax from)
    {
        var names = new ReferenceNames(join.Data);
        return new RowScope(new Branch(join, [], names),
            [new ScopeSource(Qualifiers(from), names) { IsReference = true }], from.Place, _builder);
    }

    /// <summary>What the SELECTs make of an entry's fields, under the same names.</summary>
    private RowScope Through(EntriesSyntax entries, RowScope fields)
    {
        var branch = Through(entries, new Branch(fields.Branch.Root, [], fields.Sources[0].Names));
        return fields with { Branch = branch, Sources = [fields.Sources[0] with { Names = branch.Names }] };
    }

    private Branch Through(EntriesSyntax entries, Branch fields)
    {
        if (entries is not { Query: { Branches: [{ From: { } from } select, ..] } query, Behind: { } behind })
            return fields;
        if (!IsOfEntries(query, select, from))
        {
            diagnostics.Add(SaqlErrors.NotInLanguage, select.Place, $"{entries.Reference} is reference data: a " +
                "SELECT of its entries has columns and WHERE alone. Join a stream with them; its rows can be " +
                "grouped, joined and united.");
            return fields;
        }

        if (!_builder.Size.TryAdd(1, select.Place)) return fields;
        var branch = Through(behind, fields);
        var source = new ScopeSource(Qualifiers(from), branch.Names) { IsReference = true };
        return BindPlain(select, new RowScope(branch, [source], from.Place, _builder), isStep: true);
    }

    /// <summary>Nothing in it needs rows that have times.</summary>
    private static bool IsOfEntries(QuerySyntax query, SelectSyntax select, FromSyntax from) =>
        query.Branches.Count == 1 && !select.IsDistinct && select.GroupBy is null && !UsesAggregate(select)
        && from is { Joins: [], Match: null, TimestampBy: null };

    private static string[] Qualifiers(FromSyntax from) => from switch
    {
        { Query: not null } => [from.Alias ?? "the SELECT in JOIN"],
        { Alias: { } alias } => [alias, from.Name],
        _ => [from.Name],
    };
}

/// <summary>Entries of reference data, as they are or as a SELECT makes them of others.</summary>
/// <param name="Query">The SELECT; null for the entries as they are.</param>
/// <param name="Behind">What the SELECT reads, as its name was known where it stands.</param>
internal sealed record EntriesSyntax(string Reference, QuerySyntax? Query, EntriesSyntax? Behind);

/// <summary>An entry of reference data: its fields only.</summary>
internal sealed class ReferenceNames(InputPlan data) : RowNames
{
    public override IEnumerable<string> Known => [];

    public override IEnumerable<ColumnItem> Items => [new ColumnItem(null, data.Field([]))];

    public override Expr? Meta(MetadataField field) => null;

    public override Expr Resolve(ReadOnlySpan<string> path) => data.Field(path);
}
