using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Binding;

/// <summary>The aggregate functions, and what each is computed from.</summary>
internal static class Aggregates
{
    private static readonly Dictionary<string, (AccumulatorKind Accumulator, ResultKind Result)> ByName = new()
    {
        ["COUNT"] = (AccumulatorKind.Count, ResultKind.Count),
        ["SUM"] = (AccumulatorKind.Sum, ResultKind.Sum),
        ["AVG"] = (AccumulatorKind.Sum, ResultKind.Average),
        ["MIN"] = (AccumulatorKind.Min, ResultKind.Extreme),
        ["MAX"] = (AccumulatorKind.Max, ResultKind.Extreme),
        ["STDEV"] = (AccumulatorKind.Moments, ResultKind.SampleDeviation),
        ["STDEVP"] = (AccumulatorKind.Moments, ResultKind.PopulationDeviation),
        ["VAR"] = (AccumulatorKind.Moments, ResultKind.SampleVariance),
        ["VARP"] = (AccumulatorKind.Moments, ResultKind.PopulationVariance),
        ["COLLECT"] = (AccumulatorKind.Values, ResultKind.Collect),
        ["COLLECTTOP"] = (AccumulatorKind.Values, ResultKind.CollectTop),
        ["TOPONE"] = (AccumulatorKind.Values, ResultKind.TopOne),
        ["PERCENTILE_CONT"] = (AccumulatorKind.Numbers, ResultKind.PercentileContinuous),
        ["PERCENTILE_DISC"] = (AccumulatorKind.Numbers, ResultKind.PercentileDiscrete),
    };

    public static IEnumerable<string> Names => ByName.Keys;

    public static bool Is(string upperName) => ByName.ContainsKey(upperName);

    public static (AccumulatorKind Accumulator, ResultKind Result) Of(string upperName) => ByName[upperName];
}

/// <summary>An aggregate as written, checked as far as that goes without its rows.</summary>
/// <param name="Value">The argument; null when it counts rows, or takes the row as a whole.</param>
/// <param name="Number">How many for CollectTop; which share for a percentile.</param>
internal sealed record AggregateShape(
    AccumulatorKind Accumulator, ResultKind Result, ExpressionSyntax? Value, IReadOnlyList<OrderSyntax> OrderBy,
    double Number)
{
    /// <summary>Null (and told) when it is not valid.</summary>
    /// <param name="isOfSource">The argument is the name of a source, and so its rows.</param>
    public static AggregateShape? Of(
        CallSyntax call, IReadOnlyList<OrderSyntax> orderBy, bool isOfSource, Diagnostics diagnostics)
    {
        var name = call.Name.ToUpperInvariant();
        var (accumulator, result) = Aggregates.Of(name);
        if (name == "COUNT" && !call.Distinct && (call.Star || call.Arguments.Count == 0 || isOfSource))
            return new AggregateShape(AccumulatorKind.CountRows, result, null, [], 0);
        if (call.Distinct && name != "COUNT")
            return Refuse(SaqlErrors.BadArguments, $"DISTINCT is there for COUNT only, not for {name}.");
        if (call.Distinct) accumulator = AccumulatorKind.CountDistinct;
        if (result < ResultKind.Collect)
        {
            if (call.Star || call.Arguments.Count != 1) return RefuseCount("one argument");
            return new AggregateShape(accumulator, result, isOfSource ? null : call.Arguments[0], [], 0);
        }

        if (call.Star) return RefuseCount("an expression, or nothing for the whole row");
        var needsOrder = result != ResultKind.Collect;
        if (needsOrder != orderBy.Count > 0)
            return Refuse(SaqlErrors.BadArguments, needsOrder
                ? $"{name} needs OVER (ORDER BY ...)."
                : $"{name} promises no order, and takes no ORDER BY.");
        return result switch
        {
            ResultKind.Collect or ResultKind.TopOne => call.Arguments.Count > 1
                ? RefuseCount("at most one argument")
                : new AggregateShape(accumulator, result, call.Arguments.FirstOrDefault(), orderBy, 0),
            ResultKind.CollectTop => call.Arguments is not [LiteralSyntax { Value: long count and > 0 }, ..] ||
                call.Arguments.Count > 2
                ? RefuseCount("a constant number of rows, and perhaps an expression")
                : new AggregateShape(accumulator, result, call.Arguments.ElementAtOrDefault(1), orderBy, count),
            _ => Share(call) is not { } share || orderBy.Count > 1
                ? RefuseCount("a constant from 0 to 1, and one expression to order by")
                : new AggregateShape(accumulator, result, orderBy[0].Value, orderBy, share),
        };

        AggregateShape? RefuseCount(string wanted) =>
            Refuse(SaqlErrors.BadArguments, $"{name} takes {wanted}{(call.Star ? ", not *"
                : $"; found {call.Arguments.Count}")}.");

        AggregateShape? Refuse(Primitives.ErrorDefinition error, string message)
        {
            diagnostics.Add(error, call.Place, message);
            return null;
        }
    }

    /// <summary>
    /// The same, where MIN, MAX and ORDER BY take the column that TIMESTAMP BY names as the time that it is.
    /// </summary>
    public AggregateShape Timed(RowScope scope)
    {
        if (IsRanked)
        {
            var timed = OrderBy.Select(order => order with { Value = Time(order.Value, scope) });
            return this with { OrderBy = [.. timed] };
        }

        return Accumulator is AccumulatorKind.Min or AccumulatorKind.Max && Value is not null
            ? this with { Value = Time(Value, scope) }
            : this;
    }

    private static ExpressionSyntax Time(ExpressionSyntax value, RowScope scope) =>
        value is NameSyntax name && scope.IsTimestamp(name)
            ? new CastSyntax(name.Place, name, "datetime", name.Place, Try: false)
            : value;

    /// <summary>Whether the argument goes with the values that it is ordered by.</summary>
    private bool IsRanked => Result is ResultKind.CollectTop or ResultKind.TopOne;

    /// <summary>What each row gives to the aggregate.</summary>
    public Expr Argument(RowBinder binder)
    {
        var value = Value is null ? binder.WholeRow() : binder.Bind(Value);
        return IsRanked ? new PackExpr(value, [.. OrderBy.Select(order => binder.Bind(order.Value))]) : value;
    }

    public AccumulatorPlan AccumulatorOf(int argument, ValueKind? type) => new(Accumulator, argument,
        Accumulator is AccumulatorKind.Min or AccumulatorKind.Max && type == ValueKind.Text);

    public ResultPlan ResultOf(int accumulator) =>
        new(Result, accumulator, Number, OrderBy.Count == 0 ? null : [.. OrderBy.Select(order => order.Descending)]);

    public ValueKind? TypeOf(ValueKind? argument, bool asText) => Result switch
    {
        ResultKind.Count => ValueKind.BigInt,
        ResultKind.Sum => argument == ValueKind.Float ? ValueKind.Float : null,
        ResultKind.Extreme => argument is ValueKind.Text && !asText ? ValueKind.Float : argument,
        ResultKind.Collect or ResultKind.CollectTop => ValueKind.Array,
        ResultKind.TopOne => null,
        ResultKind.PercentileDiscrete => argument is ValueKind.Text ? ValueKind.Float : argument,
        _ => ValueKind.Float,
    };

    /// <summary>What is known of the argument's type must fit.</summary>
    public void Check(CallSyntax call, ValueKind? type, Diagnostics diagnostics)
    {
        var name = call.Name.ToUpperInvariant();
        if (type is ValueKind.Record or ValueKind.Array && Accumulator is not
            (AccumulatorKind.Count or AccumulatorKind.CountDistinct or AccumulatorKind.Values))
            diagnostics.Add(SaqlErrors.BadArguments, call.Place, $"{name} cannot take a {type.Value.Name()}.");
        if (type == ValueKind.DateTime
            && Accumulator is AccumulatorKind.Sum or AccumulatorKind.Moments or AccumulatorKind.Numbers)
            diagnostics.Add(SaqlErrors.BadArguments, call.Place, $"{name} needs numbers; found a datetime.");
    }

    private static double? Share(CallSyntax call) => call.Arguments switch
    {
        [LiteralSyntax { Value: double share and >= 0 and <= 1 }] => share,
        [LiteralSyntax { Value: long whole and (0 or 1) }] => whole,
        _ => null,
    };
}
