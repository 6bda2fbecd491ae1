using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Binding;

/// <summary>Functions with OVER, which look at earlier rows of the source.</summary>
internal sealed class AnalyticBinder(RowScope scope, Diagnostics diagnostics)
{
    private static readonly Expr Nothing = new ConstantExpr(Value.Null);

    public static IReadOnlyList<string> Names { get; } =
    [
        "LAG", "LAST", "ISFIRST", "AnomalyDetection_SpikeAndDip", "AnomalyDetection_ChangePoint",
    ];

    public static bool Is(string name) => Names.Contains(name, StringComparer.OrdinalIgnoreCase);

    public Expr Bind(OverSyntax over)
    {
        if (scope.Sources.Count > 1) return BindBeforeJoin(over);
        if (scope.IsReference)
        {
            diagnostics.Add(SaqlErrors.NotInLanguage, over.Place,
                $"{scope.SourceNames.First()} is reference data: its entries have no order in which {over.Call.Name} " +
                "could look back. Take the value in a step with the join, and look back at its rows.");
            return Nothing;
        }

        if (scope.Builder.Inlet(over.Place, scope.Branch) is { } known) return new AnalyticExpr(known.Memo, null);
        return over.Call.Name.ToUpperInvariant() switch
        {
            "LAG" or "LAST" => BindLag(over),
            "ISFIRST" => BindIsFirst(over),
            "ANOMALYDETECTION_SPIKEANDDIP" => BindAnomaly(over, AnalyticKind.Spike, 4),
            "ANOMALYDETECTION_CHANGEPOINT" => BindAnomaly(over, AnalyticKind.Change, 3),
            var name when Aggregates.Is(name) => BindAggregate(over),
            _ => Refuse(over.Call.NamePlace, $"{over.Call.Name} takes no OVER; " +
                $"LAG, LAST, ISFIRST and aggregates do.{Suggestions.For(over.Call.Name, Names)}"),
        };
    }

    /// <summary>Rows are looked back at before they are joined: all that the function reads is of one source.</summary>
    private Expr BindBeforeJoin(OverSyntax over)
    {
        var sources = SyntaxNames.Of(over).Select(scope.SourceOf).Distinct().ToList();
        if (sources is not [{ Side: { } side } source])
        {
            return Refuse(over.Place,
                "A function with OVER is computed before the join: its columns must be of one source, " +
                $"each with {string.Join(" or ", scope.SourceNames)} before it.");
        }

        var values = source.Before.Select(before => new AnalyticBinder(before, diagnostics).Bind(over)).ToList();
        return side.Carry($"#over{over.Place.Start}", values);
    }

    private Expr BindLag(OverSyntax over)
    {
        var call = over.Call;
        var isLast = call.Is("LAST");
        var countMax = isLast ? 2 : 3;
        if (call.Star != (call.Arguments.Count == 0) || call.Arguments.Count > countMax)
            return Refuse(call.Place, $"{call.Name} takes a value{(isLast ? "" : ", an offset")} and a default.");
        var offset = isLast ? 0 : 1;
        if (!isLast && call.Arguments.Count > 1)
        {
            if (ConstantSyntax.Integer(call.Arguments[1]) is not (>= 1 and <= 10_000 and var back))
                return Refuse(call.Arguments[1].Place, "The offset of LAG is a constant from 1 to 10000.");
            offset = (int)back;
        }

        if (Duration(over) is not { } duration) return Nothing;
        var binder = new RowBinder(scope, diagnostics, call.Name);
        var value = call.Star ? binder.WholeRow() : binder.Bind(call.Arguments[0]);
        var otherwise = call.Arguments.ElementAtOrDefault(isLast ? 1 : 2) is { } given ? binder.Bind(given) : Nothing;
        return Add(over, number => new AnalyticPlan(AnalyticKind.Lag, number, Text(over))
        {
            Duration = duration,
            Offset = offset,
        }, value, otherwise, otherwise is ConstantExpr { Value.IsNull: true } || otherwise.Type == value.Type
            ? value.Type : null);
    }

    private Expr BindIsFirst(OverSyntax over)
    {
        if (over.Call.Arguments.Count != 2) return Refuse(over.Call.Place, "ISFIRST takes a unit and a number.");
        if (over.Limit is not null)
            return Refuse(over.Limit.Place, "ISFIRST looks at its own interval; it has no LIMIT DURATION.");
        return new WindowBinder(diagnostics).Stretch(over.Call, over.Call.Arguments) is { } interval
            ? Add(over, number => new AnalyticPlan(AnalyticKind.IsFirst, number, Text(over)) { Duration = interval },
                Nothing, Nothing, ValueKind.BigInt)
            : Nothing;
    }

    private Expr BindAnomaly(OverSyntax over, AnalyticKind kind, int count)
    {
        var call = over.Call;
        if (call.Arguments.Count != count
            || ConstantSyntax.Number(call.Arguments[1]) is not { } confidence || confidence is < 1 or > 100
            || ConstantSyntax.Integer(call.Arguments[2]) is not (>= 1 and <= 10_000 and var history))
        {
            return Refuse(call.Place, $"{call.Name} takes a value, a confidence from 1 to 100, how many events to " +
                $"learn from (1 to 10000){(count == 4 ? ", and 'spikes', 'dips' or 'spikesanddips'" : "")}.");
        }

        var mode = SpikeMode.SpikesAndDips;
        if (count == 4 && (call.Arguments[3] is not LiteralSyntax { Value: string written }
            || !Enum.TryParse(written, true, out mode) || !char.IsLetter(written[0])))
            return Refuse(call.Arguments[3].Place, "The mode is 'spikes', 'dips' or 'spikesanddips'.");
        if (Duration(over) is not { } duration) return Nothing;
        var value = new RowBinder(scope, diagnostics, call.Name).Bind(call.Arguments[0]);
        return Add(over, number => new AnalyticPlan(kind, number, Text(over))
        {
            Duration = duration,
            Confidence = confidence / 100,
            History = (int)history,
            Mode = mode,
        }, value, Nothing, ValueKind.Record);
    }

    private Expr BindAggregate(OverSyntax over)
    {
        var call = over.Call;
        if (Duration(over) is not { } duration) return Nothing;
        if (call.Distinct) return Refuse(call.Place, "COUNT(DISTINCT) has no OVER.");
        var isOfSource = call.Is("COUNT") && call.Arguments is [NameSyntax name] && scope.IsSource(name);
        if (AggregateShape.Of(call, over.OrderBy, isOfSource, diagnostics)?.Timed(scope) is not { } shape)
            return Nothing;
        var isCount = shape.Accumulator == AccumulatorKind.CountRows;
        var binder = new RowBinder(scope, diagnostics, "another aggregate");
        var argument = isCount ? Nothing : shape.Argument(binder);
        shape.Check(call, argument.Type, diagnostics);
        var accumulator = shape.AccumulatorOf(isCount ? -1 : 0, argument.Type);
        return Add(over, number => new AnalyticPlan(AnalyticKind.Aggregate, number, Text(over))
        {
            Duration = duration,
            Accumulator = accumulator,
            Result = shape.ResultOf(0),
        }, argument, Nothing, shape.TypeOf(argument.Type, accumulator.AsText));
    }

    private AnalyticExpr Add(
        OverSyntax over, Func<int, AnalyticPlan> make, Expr argument, Expr otherwise, ValueKind? type)
    {
        var binder = new RowBinder(scope, diagnostics, "OVER");
        Expr[] keys = [.. over.PartitionBy.Select(binder.Bind)];
        var when = over.When is null ? null : binder.BindFilter(over.When);
        var analytic = scope.Builder.Analytic(over.Place, make);
        analytic.KeyTexts = [.. over.PartitionBy.Select(key => diagnostics.LineOf(key.Place))];
        var inlet = new AnalyticInlet(analytic, scope.Builder.NewMemo(),
            scope.Branch.Filters, keys, when, argument, otherwise);
        scope.Builder.Add(over.Place, scope.Branch, inlet);
        return new AnalyticExpr(inlet.Memo, type);
    }

    private long? Duration(OverSyntax over)
    {
        if (over.Limit is { } limit) return new WindowBinder(diagnostics).Stretch(limit, limit.Arguments);
        Refuse(over.Place, $"{over.Call.Name} with OVER needs LIMIT DURATION(unit, number): how far it looks back.");
        return null;
    }

    private string Text(OverSyntax over) => diagnostics.LineOf(over.Place);

    private Expr Refuse(TextSpan place, string message)
    {
        diagnostics.Add(SaqlErrors.BadArguments, place, message);
        return Nothing;
    }
}
