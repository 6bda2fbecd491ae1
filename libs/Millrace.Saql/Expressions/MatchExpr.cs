using Millrace.Saql.Engine;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

internal enum MatchValue : byte
{
    First,
    Last,
    Min,
    Max,
    Count,
}

/// <summary>A column of the rows that a pattern has matched as one variable, or as any.</summary>
/// <param name="variable">-1 for any.</param>
internal sealed class MatchExpr(MatchValue kind, int variable, int column, ValueKind? type) : Expr
{
    /// <summary>Text that is a number counts as one, unless the column surely is text.</summary>
    private readonly bool _readsText = kind is MatchValue.Min or MatchValue.Max && type != ValueKind.Text;

    public override ValueKind? Type => kind == MatchValue.Count ? ValueKind.BigInt : type;

    public override IReadOnlyList<Expr> Parts => [];

    /// <summary>Whether it is a column of the newest row, where that is one of the variable.</summary>
    public bool IsOfNewest(int newest) => kind == MatchValue.Last && (variable < 0 || variable == newest);

    public override Value Evaluate(Frame frame) => kind == MatchValue.Last ? OfLast(frame) : OfAll(frame);

    private Value OfLast(Frame frame)
    {
        for (var i = frame.Matched.Count - 1; i >= 0; i--)
        {
            var (row, matched) = frame.Matched[i];
            if (variable < 0 || matched == variable) return row[column];
        }

        return Value.Null;
    }

    private Value OfAll(Frame frame)
    {
        var found = Value.Null;
        var count = 0L;
        foreach (var (row, matched) in frame.Matched)
        {
            if (variable >= 0 && matched != variable) continue;
            var value = column < 0 ? Value.Of(1L) : row[column];
            if (kind == MatchValue.First) return value;
            if (value.IsNull) continue;
            count++;
            if (_readsText && value.Kind == ValueKind.Text
                && Conversion.TryConvert(value, ValueKind.Float, frame.Arena, out var number))
                value = number;
            if (found.IsNull || IsBetter(value, found)) found = value;
        }

        return kind == MatchValue.Count ? Value.Of(count) : found;
    }

    private bool IsBetter(in Value value, in Value than) => Comparison.TryCompare(value, than, out var order)
        && (kind == MatchValue.Min ? order < 0 : order > 0);
}

/// <summary>Classifier(): the variable of each row of the match.</summary>
internal sealed class ClassifierExpr(IReadOnlyList<string> variables) : Expr
{
    public override ValueKind? Type => ValueKind.Array;

    public override IReadOnlyList<Expr> Parts => [];

    public override Value Evaluate(Frame frame)
    {
        var writer = new JsonRowWriter();
        writer.BeginArray();
        foreach (var (_, variable) in frame.Matched)
            writer.Element(frame.Arena.Add(variable < 0 ? "." : variables[variable]));
        writer.EndArray();
        return frame.Arena.Add(writer.Written, ValueKind.Array);
    }
}
