using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Binding;

/// <summary>
/// SELECT and HAVING over groups: grouped expressions and aggregates are slots of the window's row, anything else
/// must be made of them.
/// </summary>
internal sealed class GroupBinder : ExpressionBinder
{
    private readonly IReadOnlyList<RowScope> _scopes;
    private readonly Dictionary<string, int> _keys = [];
    private readonly Dictionary<string, int> _keysInAnyCase = [];
    private readonly Expr[] _keySlots;
    private readonly List<Expr>[] _arguments;
    private readonly Dictionary<string, int> _argumentIndex = [];
    private readonly HashSet<string> _argumentsInAnyCase = [];
    private readonly List<AccumulatorPlan> _accumulators = [];
    private readonly List<ResultPlan> _results = [];
    private readonly IReadOnlyList<ExpressionSyntax> _keySyntax;
    private bool _knowsAliases;

    /// <param name="scopes">One for each branch that the window reads.</param>
    /// <param name="keys">The keys as written, and their slots in the window's row.</param>
    public GroupBinder(
        IReadOnlyList<RowScope> scopes, IReadOnlyList<(ExpressionSyntax Syntax, Expr Slot)> keys,
        Diagnostics diagnostics)
        : base(scopes[0], diagnostics)
    {
        _scopes = scopes;
        _keySlots = [.. keys.Select(key => key.Slot)];
        _keySyntax = [.. keys.Select(key => key.Syntax)];
        _arguments = [.. scopes.Select(_ => new List<Expr>())];
        for (var i = 0; i < keys.Count; i++)
        {
            _keys.TryAdd(TextOf(keys[i].Syntax), i);
            _keysInAnyCase.TryAdd(TextInAnyCase(keys[i].Syntax), i);
        }
    }

    /// <summary>Slots before those of the aggregates: the keys, also those that nobody wrote.</summary>
    public int KeyCount { get; init; }

    /// <summary>What SELECT names.</summary>
    public IReadOnlyList<SelectItemSyntax> Items { get; init; } = [];

    /// <summary>What System.Window().Id gives.</summary>
    public string? WindowId { get; init; }

    public IReadOnlyList<AccumulatorPlan> Accumulators => _accumulators;

    public IReadOnlyList<ResultPlan> Results => _results;

    /// <summary>The aggregates' arguments on the rows of one branch.</summary>
    public Expr[] ArgumentsOf(int branch) => [.. _arguments[branch]];

    /// <summary>
    /// HAVING may use the alias of a column where a field of this name is not grouped, and so would be an error.
    /// </summary>
    public Expr BindHaving(ExpressionSyntax having)
    {
        _knowsAliases = true;
        var condition = BindFilter(having);
        _knowsAliases = false;
        return condition;
    }

    /// <summary>As with fields: in another case when there is none in this.</summary>
    protected override Expr? BindWhole(ExpressionSyntax syntax) =>
        syntax is not LiteralSyntax && (_keys.TryGetValue(TextOf(syntax), out var key)
            || _keysInAnyCase.TryGetValue(TextInAnyCase(syntax), out key)) ? _keySlots[key] : null;

    protected override Expr BindName(NameSyntax name)
    {
        if (_knowsAliases && name.Parts is [var alias] && ExpressionOf(alias.Text) is { } column)
        {
            _knowsAliases = false;
            var bound = Bind(column);
            _knowsAliases = true;
            return bound;
        }

        if (_keySyntax.OfType<NameSyntax>().FirstOrDefault(key => IsAliasOfWhatReads(key, name)) is { } meant)
        {
            var written = Diagnostics.LineOf(meant.Place);
            Error(SaqlErrors.NotGrouped, meant.Place, $"{written} is a field here, not the column that is called so; " +
                $"write GROUP BY {Diagnostics.LineOf(ExpressionOf(meant.Parts[0].Text)!.Place)}.");
            return Nothing;
        }

        var text = string.Join('.', Scope.Path(name));
        Error(SaqlErrors.NotGrouped, name.Place,
            $"{text} is neither in GROUP BY nor in an aggregate; add it to GROUP BY or write MAX({text}).");
        return Nothing;
    }

    private ExpressionSyntax? ExpressionOf(string alias) => Items.FirstOrDefault(item => !item.Star
        && alias.Equals(item.Alias, StringComparison.OrdinalIgnoreCase))?.Expression;

    /// <summary>GROUP BY names the alias of a column, and the name stands in that.</summary>
    private bool IsAliasOfWhatReads(NameSyntax key, NameSyntax name) => key.Parts is [var alias]
        && ExpressionOf(alias.Text) is { } column
        && name.Place.Start >= column.Place.Start && name.Place.End <= column.Place.End;

    protected override Expr BindWindowId() => WindowId is null ? Nothing : Text(WindowId);

    protected override Expr BindAggregate(CallSyntax call) => BindAggregate(call, []);

    protected override Expr BindOver(OverSyntax over)
    {
        var isAggregate = Aggregates.Is(over.Call.Name.ToUpperInvariant());
        if (isAggregate && over.Limit is null && over.PartitionBy.Count == 0 && over.When is null)
            return BindAggregate(over.Call, over.OrderBy);
        Error(SaqlErrors.NotGrouped, over.Place,
            $"{over.Call.Name} with OVER is computed for each row, before grouping; " +
            "compute it in a WITH step, group by it, or wrap it in an aggregate such as MAX.");
        return Nothing;
    }

    private Expr BindAggregate(CallSyntax call, IReadOnlyList<OrderSyntax> orderBy)
    {
        if (AggregateShape.Of(call, orderBy, IsOfSource(call), Diagnostics)?.Timed(Scope) is not { } shape)
            return Nothing;
        if (shape.Accumulator == AccumulatorKind.CountRows) return Result(shape, -1, null);
        var argument = Argument(call, orderBy, shape);
        var type = _arguments[0][argument].Type;
        shape.Check(call, type, Diagnostics);
        return Result(shape, argument, type);
    }

    private bool IsOfSource(CallSyntax call) =>
        call.Is("COUNT") && call.Arguments is [NameSyntax name] && Scope.IsSource(name);

    /// <summary>The index of the argument, which each branch evaluates on its own rows.</summary>
    private int Argument(CallSyntax call, IReadOnlyList<OrderSyntax> orderBy, AggregateShape shape)
    {
        var syntax = orderBy.Count == 0 && shape.Value is not null
            ? shape.Value
            : new OverSyntax(call.Place, call, [], orderBy, null, null);
        var text = TextOf(syntax);
        if (_argumentIndex.TryGetValue(text, out var known)) return known;
        if (!_argumentsInAnyCase.Add(TextInAnyCase(syntax))) Scope.Builder.TellsCasesApart = true;
        for (var i = 0; i < _scopes.Count; i++)
            _arguments[i].Add(shape.Argument(new RowBinder(_scopes[i], Diagnostics, "another aggregate")));
        return _argumentIndex[text] = _arguments[0].Count - 1;
    }

    private SlotExpr Result(AggregateShape shape, int argument, ValueKind? type)
    {
        var accumulator = shape.AccumulatorOf(argument, type);
        var index = _accumulators.IndexOf(accumulator);
        if (index < 0)
        {
            index = _accumulators.Count;
            _accumulators.Add(accumulator);
        }

        var plan = shape.ResultOf(index);
        var slot = _results.IndexOf(plan);
        if (slot < 0)
        {
            slot = _results.Count;
            _results.Add(plan);
        }

        return new SlotExpr(KeyCount + slot, shape.TypeOf(type, accumulator.AsText));
    }

    private string TextOf(ExpressionSyntax syntax) => SyntaxText.Exact(syntax, Scope.Qualifiers);

    private string TextInAnyCase(ExpressionSyntax syntax) => SyntaxText.Of(syntax, Scope.Qualifiers);
}
