using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

internal sealed partial class QueryBinder
{
    private Relation Source(FromSyntax from)
    {
        if (_steps.TryGetValue(from.Name, out var step))
        {
            if (from.TimestampBy is not null)
            {
                diagnostics.Add(SaqlErrors.MisplacedTimestampBy, from.TimestampBy.Place,
                    $"{from.Name} is a step; TIMESTAMP BY belongs to the SELECT that reads the input.");
            }

            return step;
        }

        var name = knownInputs?.FirstOrDefault(known => known.Equals(from.Name, StringComparison.OrdinalIgnoreCase));
        if (knownInputs is not null && name is null)
        {
            var names = knownInputs.Concat(_steps.Keys).ToList();
            diagnostics.Add(SaqlErrors.UnknownInput, from.Place,
                $"There is no input or step {from.Name}; there is " +
                    $"{Suggestions.List(names)}.{Suggestions.For(from.Name, names)}");
        }

        if (!_inputs.TryGetValue(name ?? from.Name, out var input))
        {
            input = new InputPlan(name ?? from.Name);
            _inputs.Add(input.Name, input);
        }

        return new Relation(input.Name, [new Branch(Feed(from, input), [], new InputNames(input))]);
    }

    private FeedPlan Feed(FromSyntax from, InputPlan input)
    {
        var qualifiers = from.Alias is null ? new[] { input.Name } : [from.Alias, input.Name];
        var key = from.TimestampBy is null ? "" : SyntaxText.Of(from.TimestampBy, qualifiers);
        var feed = _feeds.Find(known => known.Input == input && known.TimestampKey == key);
        if (feed is not null) return feed;
        feed = new FeedPlan(_feeds.Count, input) { TimestampKey = key };
        _feeds.Add(feed);
        if (from.TimestampBy is null) return feed;
        var scope = new RowScope(new Branch(feed, [], new InputNames(input)), qualifiers, from.Place);
        var time = new TimestampByBinder(scope, diagnostics).Bind(from.TimestampBy);
        if (time.Type is { } type && type is not (Values.ValueKind.DateTime or Values.ValueKind.Text))
        {
            diagnostics.Add(SaqlErrors.TypeMismatch, from.TimestampBy.Place,
                $"TIMESTAMP BY needs a datetime or its ISO 8601 text; found a {Values.ValueKinds.Name(type)}. " +
                "Unix time: DATEADD(millisecond, x, '1970-01-01T00:00:00Z').");
        }

        feed.TimestampBy = time;
        return feed;
    }

    /// <summary>Only the log's own partitions can part a query.</summary>
    private bool CheckPartitionBy(FromSyntax from, RowScope scope)
    {
        if (from.PartitionBy is null) return false;
        var isPartitionId = from.PartitionBy is NameSyntax name &&
            scope.Path(name) is [var only] && only.Equals("PartitionId", StringComparison.OrdinalIgnoreCase);
        if (!isPartitionId)
        {
            if (from.PartitionBy is not BadSyntax)
                diagnostics.Add(SaqlErrors.NotSupportedYet, from.PartitionBy.Place,
                    "Not supported yet: PARTITION BY anything but PartitionId.");
            return false;
        }

        if (scope.Branch.Root is not WindowPlan { IsPartitionLocal: false }) return true;
        diagnostics.Add(SaqlErrors.Unexpected, from.PartitionBy.Place,
            $"{from.Name} is computed over all partitions; write PARTITION BY PartitionId there too.");
        return false;
    }

    private Branch? BindGrouped(SelectSyntax select, FromSyntax from, List<RowScope> scopes, bool isStep)
    {
        if (select.GroupBy is null)
        {
            diagnostics.Add(SaqlErrors.WindowNeeded, FirstAggregate(select)!.Place,
                "An aggregate needs a GROUP BY with a window, such as GROUP BY TumblingWindow(minute, 1).");
        }

        var spec = WindowOf(select, out var keySyntax);
        var window = new WindowPlan(_windows.Count, spec ?? new WindowSpec(null, 1, 1, 0));
        var keysOfBranch = scopes.Select(scope => BindKeys(keySyntax, scope)).ToList();
        var isPartitioned = scopes.Select(scope => CheckPartitionBy(from, scope)).ToList().All(is_ => is_);
        if (isPartitioned)
            keysOfBranch = [.. keysOfBranch.Select(keys => keys.Append(new PartitionExpr()).ToArray())];
        var slots = Enumerable.Range(0, keysOfBranch[0].Length).Select(i => KeySlot(i, keysOfBranch)).ToList();
        var binder = new GroupBinder(scopes, [.. keySyntax.Select((syntax, i) => (syntax, slots[i]))], diagnostics)
        {
            KeyCount = slots.Count,
        };
        var having = select.Having is null ? null : binder.BindCondition(select.Having);
        var items = BindItems(select, binder, scopes[0], isStep, grouped: true, out _);
        window.Complete(slots.Count, binder.ArgumentsOf(0).Length, binder.Accumulators, binder.Results);
        window.KeyTexts = [.. keySyntax.Select(key => SyntaxText.Of(key, scopes[0].Qualifiers))];
        window.IsPartitionLocal = keysOfBranch.All(keys => keys.Any(key => key.SeparatesPartitions));
        for (var i = 0; i < scopes.Count; i++)
        {
            var filters = scopes[i].Branch.Filters.ToList();
            if (select.Where is not null)
                filters.Add(new RowBinder(scopes[i], diagnostics, "WHERE; filter by it in HAVING")
                    .BindCondition(select.Where));
            var inlet = new WindowInlet(window, [.. filters], keysOfBranch[i], binder.ArgumentsOf(i));
            window.Inlets.Add(inlet);
            scopes[i].Branch.Root.Windows.Add(inlet);
        }

        _windows.Add(window);
        return new Branch(window, having is null ? [] : [isStep ? new MemoExpr(having, _memos++) : having],
            new StepNames(items, null));
    }

    private Expr[] BindKeys(List<ExpressionSyntax> keys, RowScope scope)
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

    private WindowSpec? WindowOf(SelectSyntax select, out List<ExpressionSyntax> keys)
    {
        var items = select.GroupBy ?? [];
        var windows = items.Where(WindowBinder.IsWindowOfAnyKind).Cast<CallSyntax>().ToList();
        keys = [.. items.Where(item => !WindowBinder.IsWindowOfAnyKind(item))];
        if (windows.Count > 1)
        {
            diagnostics.Add(SaqlErrors.WindowNeeded, windows[1].Place,
                "A GROUP BY has one window; this is the second.");
            return null;
        }

        if (windows.Count == 1) return new WindowBinder(diagnostics).Bind(windows[0]);
        var snapshot = keys.FindIndex(IsTimestamp);
        if (snapshot >= 0)
        {
            keys.RemoveAll(IsTimestamp);
            return new WindowSpec(null, 0, 0, 0);
        }

        if (items.Count > 0 && !items.Any(item => item is BadSyntax))
        {
            diagnostics.Add(SaqlErrors.WindowNeeded, select.GroupByPlace,
                "This GROUP BY has no window; add one, such as TumblingWindow(minute, 1), or System.Timestamp().");
        }

        return null;

        static bool IsTimestamp(ExpressionSyntax syntax) => syntax is CallSyntax call && call.Is("System.Timestamp");
    }

    private static bool UsesAggregate(SelectSyntax select) => FirstAggregate(select) is not null;

    private static CallSyntax? FirstAggregate(SelectSyntax select) => select.Items.Select(item => item.Expression)
        .Append(select.Having).Select(FirstAggregate).FirstOrDefault(found => found is not null);

    private static CallSyntax? FirstAggregate(ExpressionSyntax? syntax) => syntax switch
    {
        CallSyntax call when Aggregates.Is(call.Name.ToUpperInvariant()) => call,
        CallSyntax call => First([.. call.Arguments]),
        UnarySyntax unary => FirstAggregate(unary.Operand),
        BinarySyntax binary => First(binary.Left, binary.Right),
        BetweenSyntax between => First(between.Value, between.Low, between.High),
        InSyntax inList => First([inList.Value, .. inList.Choices]),
        LikeSyntax like => First(like.Value, like.Pattern),
        IsNullSyntax isNull => FirstAggregate(isNull.Value),
        CaseSyntax choice => First(
            [choice.Input, .. choice.Arms.SelectMany(arm => new[] { arm.When, arm.Then }), choice.Else]),
        CastSyntax cast => FirstAggregate(cast.Value),
        MemberSyntax member => FirstAggregate(member.Record),
        _ => null,
    };

    private static CallSyntax? First(params ExpressionSyntax?[] syntax) =>
        syntax.Select(FirstAggregate).FirstOrDefault(found => found is not null);
}
