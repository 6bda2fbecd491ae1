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
    private readonly Expr[] _keySlots;
    private readonly List<Expr>[] _arguments;
    private readonly Dictionary<string, int> _argumentIndex = [];
    private readonly List<AccumulatorPlan> _accumulators = [];
    private readonly List<ResultPlan> _results = [];

    /// <param name="scopes">One for each branch that the window reads.</param>
    /// <param name="keys">The keys as written, and their slots in the window's row.</param>
    public GroupBinder(
        IReadOnlyList<RowScope> scopes, IReadOnlyList<(ExpressionSyntax Syntax, Expr Slot)> keys,
        Diagnostics diagnostics)
        : base(scopes[0], diagnostics)
    {
        _scopes = scopes;
        _keySlots = [.. keys.Select(key => key.Slot)];
        _arguments = [.. scopes.Select(_ => new List<Expr>())];
        for (var i = 0; i < keys.Count; i++) _keys.TryAdd(TextOf(keys[i].Syntax), i);
    }

    /// <summary>Slots before those of the aggregates: the keys, also those that nobody wrote.</summary>
    public int KeyCount { get; init; }

    public IReadOnlyList<AccumulatorPlan> Accumulators => _accumulators;

    public IReadOnlyList<ResultPlan> Results => _results;

    /// <summary>The aggregates' arguments on the rows of one branch.</summary>
    public Expr[] ArgumentsOf(int branch) => [.. _arguments[branch]];

    protected override Expr? BindWhole(ExpressionSyntax syntax) =>
        syntax is not LiteralSyntax && _keys.TryGetValue(TextOf(syntax), out var key) ? _keySlots[key] : null;

    protected override Expr BindName(NameSyntax name)
    {
        var text = string.Join('.', Scope.Path(name));
        Error(SaqlErrors.NotGrouped, name.Place,
            $"{text} is neither in GROUP BY nor in an aggregate; add it to GROUP BY or write MAX({text}).");
        return Nothing;
    }

    protected override Expr BindAggregate(CallSyntax call)
    {
        var name = call.Name.ToUpperInvariant();
        var (accumulator, result) = Aggregates.Of(name);
        if (name == "COUNT" && CountsRows(call)) return Result(AccumulatorKind.CountRows, -1, false, result);
        if (call.Star || call.Arguments.Count != 1)
        {
            Error(SaqlErrors.BadArguments, call.Place,
                $"{name} takes one argument{(call.Star ? ", not *" : $"; found {call.Arguments.Count}")}.");
            return Nothing;
        }

        if (call.Distinct)
        {
            if (name != "COUNT")
            {
                Error(SaqlErrors.NotSupportedYet, call.Place, $"Not supported yet: DISTINCT in {name}.");
                return Nothing;
            }

            accumulator = AccumulatorKind.CountDistinct;
        }

        var argument = Argument(call);
        var type = _arguments[0][argument].Type;
        if (type is ValueKind.Record or ValueKind.Array
            && accumulator is not (AccumulatorKind.Count or AccumulatorKind.CountDistinct))
            Error(SaqlErrors.BadArguments, call.Place, $"{name} cannot take a {type.Value.Name()}.");
        if (type == ValueKind.DateTime && accumulator is AccumulatorKind.Sum or AccumulatorKind.Moments)
            Error(SaqlErrors.BadArguments, call.Place, $"{name} needs numbers; found a datetime.");
        var asText = accumulator is AccumulatorKind.Min or AccumulatorKind.Max && type == ValueKind.Text;
        return Result(accumulator, argument, asText, result, type);
    }

    private bool CountsRows(CallSyntax call) => call.Star || (call.Arguments.Count == 0 && !call.Distinct) ||
        (call.Arguments is [NameSyntax name] && !call.Distinct && Scope.IsSource(name));

    /// <summary>The index of the argument, which each branch evaluates on its own rows.</summary>
    private int Argument(CallSyntax call)
    {
        var text = TextOf(call.Arguments[0]);
        if (_argumentIndex.TryGetValue(text, out var known)) return known;
        for (var i = 0; i < _scopes.Count; i++)
        {
            var binder = new RowBinder(_scopes[i], Diagnostics, "another aggregate");
            _arguments[i].Add(binder.Bind(call.Arguments[0]));
        }

        return _argumentIndex[text] = _arguments[0].Count - 1;
    }

    private SlotExpr Result(AccumulatorKind kind, int argument, bool asText, ResultKind result, ValueKind? type = null)
    {
        var accumulator = new AccumulatorPlan(kind, argument, asText);
        var index = _accumulators.IndexOf(accumulator);
        if (index < 0)
        {
            index = _accumulators.Count;
            _accumulators.Add(accumulator);
        }

        var plan = new ResultPlan(result, index);
        var slot = _results.IndexOf(plan);
        if (slot < 0)
        {
            slot = _results.Count;
            _results.Add(plan);
        }

        ValueKind? resultType = result switch
        {
            ResultKind.Count => ValueKind.BigInt,
            ResultKind.Sum => type == ValueKind.Float ? ValueKind.Float : null,
            ResultKind.Extreme => type is ValueKind.Text && !asText ? ValueKind.Float : type,
            _ => ValueKind.Float,
        };
        return new SlotExpr(KeyCount + slot, resultType);
    }

    private string TextOf(ExpressionSyntax syntax) => SyntaxText.Of(syntax, Scope.Qualifiers);
}
