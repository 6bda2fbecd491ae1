using System.Runtime.CompilerServices;
using System.Text;
using Millrace.Saql.Values;

namespace Millrace.Saql.Json;

/// <summary>
/// Decodes JSON objects into slots, only the fields that are read. A name matches exactly, else without regard to the
/// case of ASCII letters; of a repeated name the last counts.
/// </summary>
/// <param name="isStrict">
/// What is deep counts its levels from the outermost object, and not from the last that is read: so it refuses whatever
/// a reader of some of these fields would.
/// </param>
internal sealed class JsonRowReader(FieldNode root, Value[] slots, TextArena arena, bool isStrict = false)
{
    private readonly uint[] _exactRow = new uint[slots.Length];
    private readonly int _counted = isStrict ? 1 : 0;
    private byte[] _array = [];
    private uint _row;

    /// <summary>One object, and nothing behind it but blanks.</summary>
    /// <param name="array">The array that the text lies in: text values point into it.</param>
    public bool TryRead(byte[] array, int start, int length)
    {
        _array = array;
        _row++;
        Array.Clear(slots);
        var scanner = new JsonScanner(array.AsSpan(0, start + length), start) { Level = _counted };
        scanner.SkipBlanks();
        var objectStart = scanner.At;
        if (scanner.Current != '{' || !TryObject(ref scanner, root, true)) return false;
        if (root.Slot >= 0)
            slots[root.Slot] = Value.Slice(ValueKind.Record, array, objectStart, scanner.At - objectStart);
        scanner.SkipBlanks();
        return scanner.AtEnd;
    }

    private bool TryObject(ref JsonScanner scanner, FieldNode node, bool isExact)
    {
        scanner.At++;
        scanner.SkipBlanks();
        if (scanner.TrySkip((byte)'}')) return true;
        do
        {
            scanner.SkipBlanks();
            if (!scanner.TryName(out var nameStart, out var nameLength, out var escaped)) return false;
            if (!TryMember(ref scanner, node, nameStart, nameLength, escaped, isExact)) return false;
            scanner.SkipBlanks();
        }
        while (scanner.TrySkip((byte)','));

        return scanner.TrySkip((byte)'}');
    }

    private bool TryMember(
        ref JsonScanner scanner, FieldNode node, int nameStart, int nameLength, bool escaped, bool isExact)
    {
        ReadOnlySpan<byte> name = _array.AsSpan(nameStart, nameLength);
        if (escaped)
        {
            Span<byte> unescaped = new byte[nameLength];
            name = unescaped[..JsonScanner.Unescape(name, unescaped)];
        }

        var valueStart = scanner.At;
        var isRead = false;
        foreach (var child in node.Children)
        {
            if (child.Name.Length != name.Length) continue;
            var same = name.SequenceEqual(child.Name);
            if (!same && !Ascii.EqualsIgnoreCase(name, child.Name)) continue;
            scanner.At = valueStart;
            if (!TryValue(ref scanner, child, isExact && same)) return false;
            isRead = true;
        }

        return isRead || scanner.TrySkipValue();
    }

    private bool TryValue(ref JsonScanner scanner, FieldNode node, bool isExact)
    {
        var start = scanner.At;
        Value value;
        switch (scanner.Current)
        {
            case (byte)'"':
                if (!scanner.TryString(out var textStart, out var length, out var escaped)) return false;
                value = escaped ? Unescaped(textStart, length) : Value.OfText(_array, textStart, length);
                break;
            case (byte)'{' when node.Children.Length > 0:
                scanner.Level += _counted;
                if (scanner.Level > JsonScanner.DepthMax || !TryObject(ref scanner, node, isExact)) return false;
                scanner.Level -= _counted;
                value = Value.Slice(ValueKind.Record, _array, start, scanner.At - start);
                break;
            case (byte)'{' or (byte)'[':
                var kind = scanner.Current == '{' ? ValueKind.Record : ValueKind.Array;
                if (!scanner.TrySkipValue()) return false;
                value = Value.Slice(kind, _array, start, scanner.At - start);
                break;
            case (byte)'t':
                if (!scanner.TryLiteral("true"u8)) return false;
                value = Value.Of(true);
                break;
            case (byte)'f':
                if (!scanner.TryLiteral("false"u8)) return false;
                value = Value.Of(false);
                break;
            case (byte)'n':
                if (!scanner.TryLiteral("null"u8)) return false;
                value = Value.Null;
                break;
            default:
                if (!scanner.TryNumber(out value)) return false;
                break;
        }

        if (node.Slot >= 0) Set(node.Slot, value, isExact);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Set(int slot, in Value value, bool isExact)
    {
        ref var exactRow = ref _exactRow[slot];
        if (isExact) exactRow = _row;
        else if (exactRow == _row) return;
        slots[slot] = value;
    }

    private Value Unescaped(int start, int length)
    {
        var room = arena.Reserve(length);
        return arena.Commit(ValueKind.Text, JsonScanner.Unescape(_array.AsSpan(start, length), room));
    }
}
