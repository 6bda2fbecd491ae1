using Millrace.Saql.Expressions;
using Millrace.Saql.Functions;
using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>The time bounds in ON: DATEDIFF of two sources, compared with constants.</summary>
internal sealed class JoinBounds(RowScope scope, Diagnostics diagnostics)
{
    private static readonly long LengthMax = TimeSpan.FromDays(7).Ticks;

    public IReadOnlyList<JoinBound> Of(ExpressionSyntax on)
    {
        var bounds = EqualityKeys.Conjuncts(on).Select(Bound).OfType<JoinBound>().ToList();
        if (!bounds.Any(bound => bound.Low is not null) || !bounds.Any(bound => bound.High is not null))
        {
            diagnostics.Add(SaqlErrors.TimeBoundNeeded, on.Place,
                "A join of streams says how far its rows may be apart, such as " +
                $"DATEDIFF(second, {string.Join(", ", scope.SourceNames.TakeLast(2))}) BETWEEN 0 AND 5.");
        }

        if (bounds.Any(bound => Math.Abs(bound.Low ?? 0) > LengthMax / bound.Unit
            || Math.Abs(bound.High ?? 0) > LengthMax / bound.Unit))
            diagnostics.Add(SaqlErrors.TimeBoundNeeded, on.Place, "The rows of a join lie within 7 days.");
        foreach (var empty in bounds.Where(bound => bound.Low > bound.High))
        {
            diagnostics.Add(SaqlErrors.TimeBoundNeeded, on.Place,
                $"Nothing lies between {empty.Low} and {empty.High}; the lower bound comes first.");
        }

        return bounds;
    }

    /// <summary>The scope with what is known of how late its rows are against each of their sources.</summary>
    public RowScope WithLags(IReadOnlyList<JoinBound> bounds)
    {
        if (bounds.Count == 0 || !bounds.Any(bound => bound.High is not null)) return scope;
        var ahead = bounds.Where(bound => bound.High is not null)
            .Min(bound => Math.Max(0, (bound.High!.Value + 1) * bound.Unit));
        var behind = bounds.Where(bound => bound.Low is not null)
            .Select(bound => Math.Max(0, ((1 - bound.Low!.Value) * bound.Unit) + bound.LeftLag)).DefaultIfEmpty().Min();
        return scope with
        {
            Sources = [.. scope.Sources.Select((source, i) =>
                source with { Lag = i == scope.Sources.Count - 1 ? behind : source.Lag + ahead })],
        };
    }

    private JoinBound? Bound(ExpressionSyntax part)
    {
        var (call, low, high) = CallFirst(part) switch
        {
            BetweenSyntax { Negated: false } between =>
                (between.Value, Low(between.Low, false), High(between.High, false)),
            BinarySyntax { Operator: "=" } equal => (equal.Left, Low(equal.Right, false), High(equal.Right, false)),
            BinarySyntax { Operator: ">=" or "!<" } least => (least.Left, Low(least.Right, false), null),
            BinarySyntax { Operator: ">" } above => (above.Left, Low(above.Right, true), null),
            BinarySyntax { Operator: "<=" or "!>" } most => (most.Left, null, High(most.Right, false)),
            BinarySyntax { Operator: "<" } below => (below.Left, null, High(below.Right, true)),
            _ => (part, (long?)null, (long?)null),
        };
        if (low is null && high is null) return null;
        if (call is not CallSyntax diff
            || diff.Arguments is not [NameSyntax { Parts: [var word] }, NameSyntax from, NameSyntax to]
            || !diff.Is("DATEDIFF") || !DateParts.TryParse(word.Text, out var unit) || DateParts.TicksOf(unit) == 0)
            return null;
        var right = scope.Sources[^1];
        var (first, second) = (scope.SourceNamed(from), scope.SourceNamed(to));
        if (first is null || second is null || ReferenceEquals(first, right) == ReferenceEquals(second, right))
            return null;
        if (ReferenceEquals(first, right)) (first, low, high) = (second, -high, -low);
        return new JoinBound(((SlotExpr)first.Names.Timestamp).Slot, DateParts.TicksOf(unit),
            DateParts.TicksBeforeFirst(unit), low, high, first.Lag);
    }

    /// <summary>What has its constant first, the other way round.</summary>
    private static ExpressionSyntax CallFirst(ExpressionSyntax part)
    {
        if (part is not BinarySyntax { Right: CallSyntax } written) return part;
        var turned = written.Operator switch
        {
            "=" => "=",
            "<=" or "!>" => ">=",
            "<" => ">",
            ">=" or "!<" => "<=",
            ">" => "<",
            _ => null,
        };
        return turned is null ? part : written with { Operator = turned, Left = written.Right, Right = written.Left };
    }

    private static long? Low(ExpressionSyntax syntax, bool isExclusive) => ConstantSyntax.Of(syntax) switch
    {
        long whole => isExclusive ? whole + 1 : whole,
        double number when Math.Abs(number) < 1e15 =>
            isExclusive ? (long)Math.Floor(number) + 1 : (long)Math.Ceiling(number),
        _ => null,
    };

    private static long? High(ExpressionSyntax syntax, bool isExclusive) => ConstantSyntax.Of(syntax) switch
    {
        long whole => isExclusive ? whole - 1 : whole,
        double number when Math.Abs(number) < 1e15 =>
            isExclusive ? (long)Math.Ceiling(number) - 1 : (long)Math.Floor(number),
        _ => null,
    };
}
