using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>SELECT with GROUP BY: a branch for each of its windows.</summary>
internal sealed partial class QueryBinder
{
    private List<Branch> BindGrouped(SelectSyntax select, FromSyntax from, List<RowScope> scopes, bool isStep)
    {
        if (select.GroupBy is null)
        {
            diagnostics.Add(SaqlErrors.WindowNeeded, FirstAggregate(select)!.Place,
                "An aggregate needs a GROUP BY with a window, such as GROUP BY TumblingWindow(minute, 1).");
        }

        var definitions = WindowsOf(select, out var keySyntax);
        if (definitions.Count > 1 && !_builder.Size.TryAdd((definitions.Count - 1) * scopes.Count, select.Place))
            return [];
        return [.. definitions.Select(window => BindWindow(select, from, scopes, keySyntax, window, isStep))];
    }

    private Branch BindWindow(
        SelectSyntax select, FromSyntax from, List<RowScope> scopes, List<ExpressionSyntax> keySyntax,
        WindowDefinition definition, bool isStep)
    {
        var window = new WindowPlan(definition.Spec);
        var keysOfBranch = scopes.Select(scope => BindKeys(keySyntax, scope)).ToList();
        var isPartitioned = scopes.Select(scope => CheckPartitionBy(from, scope)).ToList().All(is_ => is_);
        if (isPartitioned)
            keysOfBranch = [.. keysOfBranch.Select(keys => keys.Append(new PartitionExpr()).ToArray())];
        var sessionKeys = scopes.Select(scope => BindKeys(definition.SessionKeys, scope)).ToList();
        if (isPartitioned) sessionKeys = [.. sessionKeys.Select(keys => keys.Append(new PartitionExpr()).ToArray())];
        var slots = Enumerable.Range(0, keysOfBranch[0].Length).Select(i => KeySlot(i, keysOfBranch)).ToList();
        var binder = new GroupBinder(scopes, [.. keySyntax.Select((syntax, i) => (syntax, slots[i]))], diagnostics)
        {
            KeyCount = slots.Count,
            Items = select.Items,
            WindowId = definition.Spec.Id,
        };
        var having = select.Having is null ? null : binder.BindHaving(select.Having);
        var items = BindItems(select, binder, scopes[0], isStep, grouped: true, out _);
        window.Complete(slots.Count, binder.ArgumentsOf(0).Length, binder.Accumulators, binder.Results);
        window.KeyTexts = [.. keySyntax.Select(key => diagnostics.LineOf(key.Place))];
        window.SessionKeyTexts = [.. definition.SessionKeys.Select(key => diagnostics.LineOf(key.Place))];
        CheckSubstreams(scopes.Select(scope => scope.Branch.Root), TextsOf(keySyntax, scopes[0]), "GROUP BY",
            select.GroupByPlace);
        var meetingKeys = definition.Spec.Kind == WindowKind.Session ? sessionKeys : keysOfBranch;
        window.IsPartitionLocal = meetingKeys.All(keys => keys.Any(key => key.SeparatesPartitions));
        AddInlets(window, select, scopes, keysOfBranch, sessionKeys, binder);
        _builder.Add(window);
        return new Branch(window, having is null ? [] : [isStep ? _builder.Memo(having, select.Having!.Place) : having],
            new StepNames(items, null));
    }

    /// <summary>Substreams have times of their own, so rows of two of them cannot meet in a group.</summary>
    private void CheckSubstreams(
        IEnumerable<RowRoot> roots, IReadOnlyList<string> keyTexts, string clause, TextSpan place)
    {
        var missing = roots.OfType<FeedPlan>().SelectMany(feed => feed.OverTexts)
            .FirstOrDefault(text => !keyTexts.Contains(text));
        if (missing is null) return;
        diagnostics.Add(SaqlErrors.NotGrouped, place,
            $"The source is parted by OVER {missing}, so {clause} must name it too.");
    }

    private static IReadOnlyList<string> TextsOf(IEnumerable<ExpressionSyntax> keys, RowScope scope) =>
        [.. keys.Select(key => SyntaxText.Of(key, scope.Qualifiers))];

    private void AddInlets(
        WindowPlan window, SelectSyntax select, List<RowScope> scopes, List<Expr[]> keys, List<Expr[]> sessionKeys,
        GroupBinder binder)
    {
        for (var i = 0; i < scopes.Count; i++)
        {
            var filters = scopes[i].Branch.Filters.ToList();
            if (select.Where is not null)
                filters.Add(new RowBinder(scopes[i], diagnostics, "WHERE; filter by it in HAVING")
                    .BindFilter(select.Where));
            var inlet = new WindowInlet(window, [.. filters], keys[i], binder.ArgumentsOf(i), sessionKeys[i]);
            window.Sources.Add(inlet);
            scopes[i].Branch.Root.Inlets.Add(inlet);
        }
    }

    private Expr[] BindKeys(IEnumerable<ExpressionSyntax> keys, RowScope scope)
    {
        var binder = new RowBinder(scope, diagnostics, "GROUP BY");
        return [.. keys.Select(binder.Bind)];
    }

    private static SlotExpr KeySlot(int index, List<Expr[]> keysOfBranch)
    {
        var keys = keysOfBranch.Select(branch => branch[index]).ToList();
        var types = keys.Select(key => key.Type).Distinct().ToList();
        return new SlotExpr(index, types.Count == 1 ? types[0] : null, keys.All(key => key.SeparatesPartitions),
            keys.All(key => key.IsDeviceId));
    }

    /// <summary>The windows of GROUP BY. When there is none, that is told, and the rest is checked with any.</summary>
    private IReadOnlyList<WindowDefinition> WindowsOf(SelectSyntax select, out List<ExpressionSyntax> keys)
    {
        var items = select.GroupBy ?? [];
        var windows = items.Where(WindowBinder.IsWindow).ToList();
        keys = [.. items.Where(item => !WindowBinder.IsWindow(item))];
        var any = new WindowDefinition(new WindowSpec(null, 1, 1, 0), []);
        if (windows.Count > 1)
        {
            diagnostics.Add(SaqlErrors.WindowNeeded, windows[1].Place,
                "A GROUP BY has one window; this is the second. Windows(...) takes several.");
            return [any];
        }

        if (windows.Count == 1) return new WindowBinder(diagnostics).Bind(windows[0]) is { Count: > 0 } bound
            ? bound : [any];
        if (keys.RemoveAll(WindowBinder.IsTimestamp) > 0) return [any with { Spec = new WindowSpec(null, 0, 0, 0) }];
        if (items.Count > 0 && !items.Any(item => item is BadSyntax))
        {
            diagnostics.Add(SaqlErrors.WindowNeeded, select.GroupByPlace,
                "This GROUP BY has no window; add one, such as TumblingWindow(minute, 1), or System.Timestamp().");
        }

        return [any];
    }

    private static bool UsesAggregate(SelectSyntax select) => FirstAggregate(select) is not null;

    private static ExpressionSyntax? FirstAggregate(SelectSyntax select) => select.Items.Select(item => item.Expression)
        .Append(select.Having).Select(FirstAggregate).FirstOrDefault(found => found is not null);

    private static ExpressionSyntax? FirstAggregate(ExpressionSyntax? syntax) => syntax switch
    {
        null => null,
        CallSyntax call when Aggregates.Is(call.Name.ToUpperInvariant()) => call,
        // With LIMIT DURATION it is computed for each row.
        OverSyntax { Limit: not null } => null,
        OverSyntax over when Aggregates.Is(over.Call.Name.ToUpperInvariant()) => over.OrderBy.Count > 0 ? over : null,
        _ => SyntaxNames.Children(syntax).Select(FirstAggregate).FirstOrDefault(found => found is not null),
    };
}
