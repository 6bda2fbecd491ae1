using System.Runtime.CompilerServices;
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
    private readonly ReadField _root = new(root);
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
        if (scanner.Current != '{' || !TryObject(ref scanner, _root, true)) return false;
        if (_root.Slot >= 0)
            slots[_root.Slot] = Value.Slice(ValueKind.Record, array, objectStart, scanner.At - objectStart);
        scanner.SkipBlanks();
        return scanner.AtEnd;
    }

    private bool TryObject(ref JsonScanner scanner, ReadField field, bool isExact)
    {
        scanner.At++;
        scanner.SkipBlanks();
        if (scanner.TrySkip((byte)'}')) return true;
        for (var place = 0; ; place++)
        {
            ref readonly var known = ref field.Known(place);
            if (!known.IsAt(_array, scanner.At, scanner.Left))
            {
                if (!TryMember(ref scanner, field, place, isExact)) return false;
            }
            else
            {
                scanner.At += known.Length;
                scanner.SkipBlanks();
                var isRead = known.Field is { } read
                    ? TryValue(ref scanner, read, isExact && known.IsExact)
                    : scanner.TrySkipValue();
                if (!isRead) return false;
            }

            scanner.SkipBlanks();
            if (!scanner.TrySkip((byte)',')) break;
            scanner.SkipBlanks();
        }

        return scanner.TrySkip((byte)'}');
    }

    private bool TryMember(ref JsonScanner scanner, ReadField field, int place, bool isExact)
    {
        var start = scanner.At;
        if (!scanner.TryName(out var nameStart, out var nameLength, out var escaped)) return false;
        ReadOnlySpan<byte> name = _array.AsSpan(nameStart, nameLength);
        if (escaped)
        {
            Span<byte> unescaped = new byte[nameLength];
            name = unescaped[..JsonScanner.Unescape(name, unescaped)];
        }

        var valueStart = scanner.At;
        ReadField? read = null;
        var (reads, readAsNamed) = (0, false);
        foreach (var child in field.Children)
        {
            if (!child.IsNamed(name, out var isSame)) continue;
            scanner.At = valueStart;
            if (!TryValue(ref scanner, child, isExact && isSame)) return false;
            (read, readAsNamed) = (child, isSame);
            reads++;
        }

        if (reads <= 1) field.Learn(place, _array.AsSpan(start, valueStart - start), read, readAsNamed);
        return reads > 0 || scanner.TrySkipValue();
    }

    private bool TryValue(ref JsonScanner scanner, ReadField node, bool isExact)
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
