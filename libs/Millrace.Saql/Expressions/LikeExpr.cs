using System.Text;
using Millrace.Saql.Engine;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

internal sealed class LikeExpr(Expr value, Expr pattern, Expr? escape) : Condition
{
    public override IReadOnlyList<Expr> Parts => escape is null ? [value, pattern] : [value, pattern, escape];

    public override Truth Test(Frame frame)
    {
        var tested = value.Evaluate(frame);
        var wanted = pattern.Evaluate(frame);
        var escaping = escape is null ? Value.Null : escape.Evaluate(frame);
        if (tested.IsNull || wanted.IsNull) return Truth.Unknown;
        if (!Conversion.TryText(tested, frame.Arena, out var text) || wanted.Kind != ValueKind.Text)
        {
            frame.Fail(SaqlErrors.ValueMismatch, $"LIKE needs a text pattern, not {Shown.Of(wanted)}.");
            return Truth.Unknown;
        }

        var escapeCharacter = '\0';
        if (!escaping.IsNull && escaping.Length > 0 && !TryEscape(escaping, out escapeCharacter))
        {
            frame.Fail(SaqlErrors.BadArgumentValue, $"ESCAPE is one character, not {Shown.Of(escaping)}.");
            return Truth.Unknown;
        }

        var characters = frame.Arena.Characters(text, 0);
        var parts = frame.Arena.Characters(wanted, 1);
        if (parts.Length > LikePattern.LengthMax) LikePattern.TooLong(frame, "LIKE");
        else if (LikePattern.Matches(characters, parts, escapeCharacter) is { } matches)
            return matches ? Truth.True : Truth.False;
        else LikePattern.TookTooLong(frame, "LIKE");
        return Truth.Unknown;
    }

    private static bool TryEscape(in Value escape, out char character)
    {
        Span<char> written = stackalloc char[1];
        character = '\0';
        if (escape.Kind != ValueKind.Text || !Encoding.UTF8.TryGetChars(escape.Utf8, written, out _)) return false;
        character = written[0];
        return true;
    }
}
