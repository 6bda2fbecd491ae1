using System.Text;
using Millrace.Saql.Values;

namespace Millrace.Saql.Json;

/// <summary>Looks into the JSON text of a record or an array, which was checked when it was read.</summary>
internal static class JsonLookup
{
    /// <summary>Repeated names are looked for without allocating up to this many members.</summary>
    private const int SmallRecordMembers = 64;

    public static bool Has(in Value record, ReadOnlySpan<byte> name) => Find(record, name, null, out _);

    /// <summary>
    /// The value of a member; the last of its exact name, else of its name in another case; else null.
    /// </summary>
    public static Value Member(in Value record, ReadOnlySpan<byte> name, TextArena arena)
    {
        Find(record, name, arena, out var value);
        return value;
    }

    private static bool Find(in Value record, ReadOnlySpan<byte> name, TextArena? arena, out Value value)
    {
        var bytes = record.Bytes!;
        var scanner = Inside(record);
        value = Value.Null;
        var found = false;
        var foundExact = false;
        while (!scanner.AtEnd && scanner.Current != '}')
        {
            scanner.TryName(out var start, out var length, out var escaped);
            ReadOnlySpan<byte> written = bytes.AsSpan(start, length);
            if (escaped)
            {
                Span<byte> unescaped = new byte[length];
                written = unescaped[..JsonScanner.Unescape(written, unescaped)];
            }

            var isExact = written.SequenceEqual(name);
            if (isExact || (!foundExact && Ascii.EqualsIgnoreCase(written, name)))
            {
                if (arena is null) return true;
                value = Read(ref scanner, bytes, arena);
                found = true;
                foundExact |= isExact;
            }
            else scanner.PassValue();

            Next(ref scanner);
        }

        return found;
    }

    /// <summary>The element at an index from 0; null past the end.</summary>
    public static Value Element(in Value array, long index, TextArena arena)
    {
        var scanner = Inside(array);
        for (long i = 0; !scanner.AtEnd && scanner.Current != ']'; i++)
        {
            if (i == index) return Read(ref scanner, array.Bytes!, arena);
            scanner.PassValue();
            Next(ref scanner);
        }

        return Value.Null;
    }

    public static int CountElements(in Value array)
    {
        var scanner = Inside(array);
        var count = 0;
        for (; !scanner.AtEnd && scanner.Current != ']'; count++)
        {
            scanner.PassValue();
            Next(ref scanner);
        }

        return count;
    }

    /// <summary>Any value at the scanner.</summary>
    public static Value Read(ref JsonScanner scanner, byte[] bytes, TextArena arena)
    {
        var start = scanner.At;
        switch (scanner.Current)
        {
            case (byte)'"':
                scanner.TryString(out var textStart, out var length, out var escaped);
                if (!escaped) return Value.OfText(bytes, textStart, length);
                var room = arena.Reserve(length);
                return arena.Commit(ValueKind.Text, JsonScanner.Unescape(bytes.AsSpan(textStart, length), room));
            case (byte)'{' or (byte)'[':
                var kind = scanner.Current == '{' ? ValueKind.Record : ValueKind.Array;
                scanner.PassValue();
                return Value.Slice(kind, bytes, start, scanner.At - start);
            case (byte)'t' or (byte)'f' or (byte)'n':
                scanner.PassValue();
                return bytes[start] == 'n' ? Value.Null : Value.Of(bytes[start] == 't');
            default:
                if (scanner.TryNumber(out var number)) return number;
                scanner.PassValue();
                arena.MeetUnfit();
                return Value.Null;
        }
    }

    /// <summary>
    /// Where the values of members begin whose name comes again: of a repeated name the last counts. Null when there is
    /// none, which costs nothing for the few members that a record usually has.
    /// </summary>
    public static HashSet<int>? Superseded(in Value record)
    {
        Span<int> names = stackalloc int[SmallRecordMembers];
        var count = 0;
        foreach (var member in Members(record))
        {
            if (count == SmallRecordMembers) return SupersededOfMany(record);
            var hash = (int)Engine.GroupTable.Hash(member.Name);
            if (names[..count].Contains(hash)) return SupersededOfMany(record);
            names[count++] = hash;
        }

        return null;
    }

    private static HashSet<int>? SupersededOfMany(in Value record)
    {
        var last = new Dictionary<string, int>();
        var superseded = new HashSet<int>();
        foreach (var member in Members(record))
        {
            var name = Encoding.UTF8.GetString(member.Name);
            if (last.TryGetValue(name, out var earlier)) superseded.Add(earlier);
            last[name] = member.ValueStart;
        }

        return superseded.Count > 0 ? superseded : null;
    }

    /// <summary>All members, in order.</summary>
    public static MemberEnumerator Members(in Value record) => new(record);

    /// <summary>All elements, in order.</summary>
    public static ElementEnumerator Elements(in Value array) => new(array);

    private static JsonScanner Inside(Value container)
    {
        var scanner =
            new JsonScanner(container.Bytes.AsSpan(0, container.Start + container.Length), container.Start + 1);
        scanner.SkipBlanks();
        return scanner;
    }

    private static void Next(ref JsonScanner scanner)
    {
        scanner.SkipBlanks();
        scanner.TrySkip((byte)',');
        scanner.SkipBlanks();
    }

    /// <summary>Walks the members of a record.</summary>
    public ref struct MemberEnumerator(Value record)
    {
        private JsonScanner _scanner = Inside(record);
        private int _nameStart;
        private int _nameLength;
        private int _valueStart;
        private bool _escaped;

        public readonly MemberEnumerator GetEnumerator() => this;

        public readonly MemberEnumerator Current => this;

        /// <summary>The name as it stands in the text, escapes and all.</summary>
        public readonly ReadOnlySpan<byte> WrittenName => record.Bytes.AsSpan(_nameStart, _nameLength);

        public readonly ReadOnlySpan<byte> Json => record.Bytes.AsSpan(_valueStart, ValueEnd - _valueStart);

        public readonly ReadOnlySpan<byte> Name
        {
            get
            {
                if (!_escaped) return WrittenName;
                var unescaped = new byte[_nameLength];
                return unescaped.AsSpan(0, JsonScanner.Unescape(WrittenName, unescaped));
            }
        }

        /// <summary>Where the value begins, in the record's array: tells members apart.</summary>
        public readonly int ValueStart => _valueStart;

        private int ValueEnd { get; set; }

        public readonly Value Read(TextArena arena)
        {
            var scanner = new JsonScanner(record.Bytes.AsSpan(0, ValueEnd), _valueStart);
            return JsonLookup.Read(ref scanner, record.Bytes!, arena);
        }

        public bool MoveNext()
        {
            if (_valueStart > 0) Next(ref _scanner);
            if (_scanner.AtEnd || _scanner.Current == '}') return false;
            _scanner.TryName(out _nameStart, out _nameLength, out _escaped);
            _valueStart = _scanner.At;
            _scanner.PassValue();
            ValueEnd = _scanner.At;
            return true;
        }
    }

    /// <summary>Walks the elements of an array.</summary>
    public ref struct ElementEnumerator(Value array)
    {
        private JsonScanner _scanner = Inside(array);
        private int _start;
        private int _end;

        public readonly ElementEnumerator GetEnumerator() => this;

        public readonly ElementEnumerator Current => this;

        public readonly Value Read(TextArena arena)
        {
            var scanner = new JsonScanner(array.Bytes.AsSpan(0, _end), _start);
            return JsonLookup.Read(ref scanner, array.Bytes!, arena);
        }

        public bool MoveNext()
        {
            if (_start > 0) Next(ref _scanner);
            if (_scanner.AtEnd || _scanner.Current == ']') return false;
            _start = _scanner.At;
            _scanner.PassValue();
            _end = _scanner.At;
            return true;
        }
    }
}
