using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>JOIN and APPLY: operators that put rows together from those of their sources.</summary>
internal sealed partial class QueryBinder
{
    private List<RowScope> BindJoin(List<RowScope> left, SourceJoinSyntax syntax)
    {
        var right = FirstScopes(syntax.Source, syntax.Place);
        if (right.Count == 0) return [];
        if (right[0].Branch.Root is FeedPlan && left.Concat(right).Select(scope => scope.Branch.Root).OfType<FeedPlan>()
            .Select(feed => feed.TimestampBy is null).Distinct().Count() > 1)
        {
            diagnostics.Add(SaqlErrors.MisplacedTimestampBy, syntax.Source.Place,
                "Either all sources of a join have TIMESTAMP BY, or none.");
        }

        var join = new JoinPlan(syntax.IsOuter);
        var keys = EqualityKeys.Of(syntax.On, left, right, diagnostics);
        CheckSubstreams(left.Select(scope => scope.Branch.Root), [.. keys.Select(key => key.LeftText)], "ON",
            syntax.On.Place);
        CheckSubstreams(right.Select(scope => scope.Branch.Root), [.. keys.Select(key => key.RightText)], "ON",
            syntax.On.Place);
        join.IsPartitionLocal = keys.Any(key => key.IsLocal);
        join.Left = new CarriedSide(join, left.Count);
        join.Right = new CarriedSide(join, right.Count);
        var scope = JoinedScope(join, left, join.Left, right, join.Right, syntax.Place);
        var bounds = new JoinBounds(scope, diagnostics);
        join.Bounds = bounds.Of(syntax.On);
        scope = bounds.WithLags(join.Bounds);
        join.Condition = new JoinBinder(scope, diagnostics).BindFilter(syntax.On);
        join.Text = diagnostics.LineOf(syntax.On.Place);
        join.KeyTexts = [.. keys.Select(key => key.Text)];
        for (var i = 0; i < left.Count; i++) AddInlet(join, left[i], true, i, join.Left, i, keys);
        for (var i = 0; i < right.Count; i++) AddInlet(join, right[i], false, left.Count + i, join.Right, i, keys);
        _builder.Add(join);
        return [scope];
    }

    private static void AddInlet(
        OperatorPlan join, RowScope scope, bool isLeft, int index, CarriedSide side, int branch,
        IReadOnlyList<EqualityKey> keys)
    {
        Expr[] values = [.. keys.Select(key => isLeft ? key.Left[branch] : key.Right[branch])];
        scope.Branch.Root.Inlets.Add(
            new JoinInlet(join, scope.Branch.Filters, isLeft, index, side, branch, values));
    }

    private RowScope JoinedScope(
        OperatorPlan join, List<RowScope> left, CarriedSide leftSide, List<RowScope> right, CarriedSide rightSide,
        TextSpan place)
    {
        var sources = Carried(left, leftSide).Concat(Carried(right, rightSide)).ToList();
        foreach (var name in sources.GroupBy(s => s.Qualifiers[0], StringComparer.OrdinalIgnoreCase))
        {
            if (name.Count() > 1)
                diagnostics.Add(SaqlErrors.DuplicateName, place,
                    $"Two sources are called {name.Key}; give one of them an alias with AS.");
        }

        // A source's own name may be that of another's alias, or of the same input read twice.
        var aliases = sources.Select(source => source.Qualifiers[0]).ToList();
        var unique = sources.Select(source => source with
        {
            Qualifiers = [.. source.Qualifiers.Where((name, i) => i == 0
                || (!aliases.Contains(name, StringComparer.OrdinalIgnoreCase)
                    && sources.Count(other => other.Has(name)) == 1))],
        });
        return new RowScope(new Branch(join, [], new StepNames([], null)), [.. unique], place, _builder);
    }

    private static IEnumerable<ScopeSource> Carried(List<RowScope> scopes, CarriedSide side)
    {
        for (var i = 0; i < scopes[0].Sources.Count; i++)
        {
            var source = i;
            var names = new CarriedNames(side, [.. scopes.Select(scope => scope.Sources[source].Names)], $"{i}");
            yield return scopes[0].Sources[i] with { Names = names, Side = side, Before = scopes };
        }
    }

    private List<RowScope> BindApply(List<RowScope> left, ApplySyntax syntax)
    {
        var ofRecord = syntax.Function.Is("GetRecordProperties");
        if ((!ofRecord && !syntax.Function.Is("GetArrayElements")) || syntax.Function.Arguments.Count != 1)
        {
            diagnostics.Add(SaqlErrors.BadArguments, syntax.Function.Place,
                "APPLY takes GetArrayElements(array) or GetRecordProperties(record).");
            return left;
        }

        var apply = new ApplyPlan(syntax.IsOuter, ofRecord) { IsPartitionLocal = true };
        var side = new CarriedSide(apply, left.Count);
        apply.FirstSlot = apply.NewSlot();
        apply.NewSlot();
        var first = new SlotExpr(apply.FirstSlot, ofRecord ? Values.ValueKind.Text : Values.ValueKind.BigInt);
        var names = new ElementNames(syntax.Alias,
        [
            new ColumnItem(ofRecord ? "PropertyName" : "ArrayIndex", first),
            new ColumnItem(ofRecord ? "PropertyValue" : "ArrayValue", new SlotExpr(apply.FirstSlot + 1)),
        ]);
        for (var i = 0; i < left.Count; i++)
        {
            var collection = new RowBinder(left[i], diagnostics, "APPLY").Bind(syntax.Function.Arguments[0]);
            left[i].Branch.Root.Inlets.Add(new ApplyInlet(apply, left[i].Branch.Filters, i, side, i, collection));
        }

        _builder.Add(apply);
        ScopeSource[] sources = [.. Carried(left, side), new ScopeSource([syntax.Alias], names)];
        return [new RowScope(new Branch(apply, [], new StepNames([], null)), sources, syntax.Place, _builder)
        {
            AllowsStar = left[0].Sources.Count == 1 || left[0].AllowsStar,
        }];
    }
}

/// <summary>ON: a source's name stands for the time of its row.</summary>
internal sealed class JoinBinder(RowScope scope, Diagnostics diagnostics) : RowBinder(scope, diagnostics, "ON")
{
    protected override Expr? BindWhole(ExpressionSyntax syntax) =>
        syntax is NameSyntax name && Scope.SourceNamed(name) is { } source ? source.Names.Timestamp : null;
}
