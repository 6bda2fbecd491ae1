using System.Text;
using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>String functions. Positions count from 1, in UTF-16 units, as nvarchar does.</summary>
internal static class TextFunctions
{
    public static IEnumerable<Function> All { get; } =
    [
        new("LEN", [Parameter.Text], ValueKind.BigInt, static (frame, values) =>
            Value.Of((long)frame.Arena.Characters(values[0]).TrimEnd(' ').Length)),
        new("LOWER", [Parameter.Text], ValueKind.Text, static (frame, values) => Cased(frame, values[0], upper: false)),
        new("UPPER", [Parameter.Text], ValueKind.Text, static (frame, values) => Cased(frame, values[0], upper: true)),
        new("LTRIM", [Parameter.Text], ValueKind.Text, static (frame, values) =>
            frame.Arena.Add(frame.Arena.Characters(values[0]).TrimStart())),
        new("RTRIM", [Parameter.Text], ValueKind.Text, static (frame, values) =>
            frame.Arena.Add(frame.Arena.Characters(values[0]).TrimEnd())),
        new("TRIM", [Parameter.Text], ValueKind.Text, static (frame, values) =>
            frame.Arena.Add(frame.Arena.Characters(values[0]).Trim())),
        new("SUBSTRING", [Parameter.Text, Parameter.Integer, Parameter.Integer], ValueKind.Text, Substring),
        new("LEFT", [Parameter.Text, Parameter.Integer], ValueKind.Text, static (frame, values) =>
            Part(frame, "LEFT", values[0], 0, values[1].Integer)),
        new("RIGHT", [Parameter.Text, Parameter.Integer], ValueKind.Text, static (frame, values) =>
            Part(frame, "RIGHT", values[0], long.MaxValue, values[1].Integer)),
        new("CHARINDEX", [Parameter.Text, Parameter.Text, Parameter.Integer], ValueKind.BigInt, CharIndex, Optional: 1),
        new("PATINDEX", [Parameter.Text, Parameter.Text], ValueKind.BigInt, PatIndex),
        new("REPLACE", [Parameter.Text, Parameter.Text, Parameter.Text], ValueKind.Text, Replace),
        new("REPLICATE", [Parameter.Text, Parameter.Integer], ValueKind.Text, static (frame, values) =>
            Repeated(frame, "REPLICATE", values[0].Utf8, values[1].Integer)),
        new("SPACE", [Parameter.Integer], ValueKind.Text, static (frame, values) =>
            Repeated(frame, "SPACE", " "u8, values[0].Integer)),
        new("REVERSE", [Parameter.Text], ValueKind.Text, Reverse),
        new("STUFF", [Parameter.Text, Parameter.Integer, Parameter.Integer, Parameter.Text], ValueKind.Text, Stuff),
        new("TRANSLATE", [Parameter.Text, Parameter.Text, Parameter.Text], ValueKind.Text, Translate),
        new("NCHAR", [Parameter.Integer], ValueKind.Text, static (frame, values) =>
            Rune.TryCreate((int)Math.Clamp(values[0].Integer, -1, int.MaxValue), out var rune)
                ? frame.Arena.Add(rune.ToString())
                : Value.Null),
        new("UNICODE", [Parameter.Text], ValueKind.BigInt, static (frame, values) =>
            Rune.DecodeFromUtf8(values[0].Utf8, out var rune, out _) == System.Buffers.OperationStatus.Done
                ? Value.Of((long)rune.Value)
                : Value.Null),
        new("REGEXMATCH", [Parameter.Text, Parameter.Text], ValueKind.BigInt, PatternFunctions.RegexMatch)
        {
            IsTimed = true,
        },
        new("REGEXREPLACE", [Parameter.Text, Parameter.Text, Parameter.Text], ValueKind.Text,
            PatternFunctions.RegexReplace)
        {
            IsTimed = true,
        },
        new("FORMAT", [Parameter.Any, Parameter.Text], ValueKind.Text, PatternFunctions.Format),
    ];

    private static Value Cased(Frame frame, in Value text, bool upper)
    {
        var characters = frame.Arena.Characters(text);
        var target = frame.Arena.Room(characters.Length, 1)[..characters.Length];
        if (upper) characters.ToUpperInvariant(target);
        else characters.ToLowerInvariant(target);
        return frame.Arena.Add(target);
    }

    private static Value Substring(Frame frame, ReadOnlySpan<Value> values)
    {
        var start = values[1].Integer - 1;
        var length = values[2].Integer;
        if (length >= 0 && start < 0)
        {
            length = Math.Max(0, length + Math.Max(start, -long.MaxValue / 2));
            start = 0;
        }

        return Part(frame, "SUBSTRING", values[0], start, length);
    }

    /// <param name="start">From 0; long.MaxValue takes the part at the end.</param>
    private static Value Part(Frame frame, string function, in Value text, long start, long length)
    {
        if (length < 0) return frame.Fail(SaqlErrors.BadArgumentValue, $"{function}: the length cannot be {length}.");
        var characters = frame.Arena.Characters(text);
        var count = (int)Math.Min(length, characters.Length);
        if (start == long.MaxValue) return frame.Arena.Add(characters[^count..]);
        var from = (int)Math.Min(start, characters.Length);
        return frame.Arena.Add(characters.Slice(from, Math.Min(count, characters.Length - from)));
    }

    private static Value CharIndex(Frame frame, ReadOnlySpan<Value> values)
    {
        var wanted = frame.Arena.Characters(values[0], 0);
        var text = frame.Arena.Characters(values[1], 1);
        var from = values.Length == 3 ? (int)Math.Clamp(values[2].Integer - 1, 0, text.Length) : 0;
        if (wanted.IsEmpty) return Value.Of(0L);
        var found = text[from..].IndexOf(wanted);
        return Value.Of(found < 0 ? 0L : found + from + 1);
    }

    private static Value PatIndex(Frame frame, ReadOnlySpan<Value> values)
    {
        var pattern = frame.Arena.Characters(values[0], 0);
        var text = frame.Arena.Characters(values[1], 1);
        if (pattern.Length > LikePattern.LengthMax) return LikePattern.TooLong(frame, "PATINDEX");
        return LikePattern.Find(text, pattern) is { } place
            ? Value.Of(place + 1L)
            : LikePattern.TookTooLong(frame, "PATINDEX");
    }

    private static Value Replace(Frame frame, ReadOnlySpan<Value> values)
    {
        var text = values[0].Utf8;
        var wanted = values[1].Utf8;
        var substitute = values[2].Utf8;
        if (wanted.IsEmpty) return values[0];
        var size = text.Length + ((long)text.Count(wanted) * (substitute.Length - wanted.Length));
        if (size > Frame.MadeBytesMax) return frame.TooLong("REPLACE");
        var room = frame.Arena.Reserve((int)size);
        var written = 0;
        for (var found = text.IndexOf(wanted); found >= 0; found = text.IndexOf(wanted))
        {
            text[..found].CopyTo(room[written..]);
            substitute.CopyTo(room[(written + found)..]);
            written += found + substitute.Length;
            text = text[(found + wanted.Length)..];
        }

        text.CopyTo(room[written..]);
        return frame.Arena.Commit(ValueKind.Text, written + text.Length);
    }

    private static Value Repeated(Frame frame, string function, ReadOnlySpan<byte> text, long times)
    {
        if (times < 0) return Value.Null;
        if (times > Frame.MadeBytesMax || text.Length * times > Frame.MadeBytesMax)
            return frame.Fail(SaqlErrors.BadArgumentValue, $"{function}: {times} times is too long.");
        var room = frame.Arena.Reserve(text.Length * (int)times);
        for (var i = 0; i < times; i++) text.CopyTo(room[(i * text.Length)..]);
        return frame.Arena.Commit(ValueKind.Text, text.Length * (int)times);
    }

    private static Value Reverse(Frame frame, ReadOnlySpan<Value> values)
    {
        var text = values[0].Utf8;
        var room = frame.Arena.Reserve(text.Length);
        var end = text.Length;
        foreach (var size in new RuneSizes(text))
        {
            text[..size].CopyTo(room[(end - size)..]);
            text = text[size..];
            end -= size;
        }

        return frame.Arena.Commit(ValueKind.Text, values[0].Length);
    }

    private static Value Stuff(Frame frame, ReadOnlySpan<Value> values)
    {
        var characters = frame.Arena.Characters(values[0], 0);
        var inserted = frame.Arena.Characters(values[3], 1);
        var start = Math.Max(values[1].Integer, 1) - 1;
        var length = values[2].Integer;
        if (length < 0) return frame.Fail(SaqlErrors.BadArgumentValue, $"STUFF: the length cannot be {length}.");
        if (start >= characters.Length) return frame.Arena.Add(""u8);
        var rest = characters[(int)Math.Min(characters.Length, start + Math.Min(length, characters.Length))..];
        var room = frame.Arena.Room(characters.Length + inserted.Length, 2);
        characters[..(int)start].CopyTo(room);
        inserted.CopyTo(room[(int)start..]);
        rest.CopyTo(room[((int)start + inserted.Length)..]);
        return frame.Made("STUFF", room[..((int)start + inserted.Length + rest.Length)]);
    }

    private static Value Translate(Frame frame, ReadOnlySpan<Value> values)
    {
        var text = frame.Arena.Characters(values[0], 0);
        var from = frame.Arena.Characters(values[1], 1);
        var to = frame.Arena.Characters(values[2], 2);
        if (from.Length != to.Length)
            return frame.Fail(SaqlErrors.BadArgumentValue,
                "TRANSLATE: the second and third argument differ in length.");
        Span<char> translated = text.ToArray();
        foreach (ref var character in translated)
        {
            var index = from.IndexOf(character);
            if (index >= 0) character = to[index];
        }

        return frame.Arena.Add(translated);
    }

    /// <summary>The sizes of a text's characters in bytes, first to last.</summary>
    private ref struct RuneSizes(ReadOnlySpan<byte> text)
    {
        private ReadOnlySpan<byte> _rest = text;

        public int Current { get; private set; }

        public readonly RuneSizes GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_rest.IsEmpty) return false;
            Rune.DecodeFromUtf8(_rest, out _, out var size);
            Current = size;
            _rest = _rest[size..];
            return true;
        }
    }
}
