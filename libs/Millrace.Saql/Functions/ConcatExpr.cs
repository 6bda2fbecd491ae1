using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>CONCAT makes null '', CONCAT_WS skips it together with its separator.</summary>
internal sealed class ConcatExpr(Expr? separator, Expr[] parts) : Expr
{
    private readonly string _function = separator is null ? "CONCAT" : "CONCAT_WS";

    public override ValueKind? Type => ValueKind.Text;

    public override IReadOnlyList<Expr> Parts => separator is null ? parts : [separator, .. parts];

    public override Value Evaluate(Frame frame)
    {
        var between = Value.Null;
        if (separator is not null && !Conversion.TryText(separator.Evaluate(frame), frame.Arena, out between))
            return Value.Null;
        var result = frame.Arena.Add(""u8);
        var isFirst = true;
        foreach (var part in parts)
        {
            var value = part.Evaluate(frame);
            if (value.IsNull || !Conversion.TryText(value, frame.Arena, out var text)) continue;
            if (!isFirst && !between.IsNull) result = Append(frame, result, between);
            result = Append(frame, result, text);
            isFirst = false;
        }

        return result;
    }

    private Value Append(Frame frame, in Value text, in Value more)
    {
        if (text.Length + more.Length > Frame.MadeBytesMax) return frame.TooLong(_function);
        var room = frame.Arena.Reserve(text.Length + more.Length);
        text.Utf8.CopyTo(room);
        more.Utf8.CopyTo(room[text.Length..]);
        return frame.Arena.Commit(ValueKind.Text, text.Length + more.Length);
    }
}
