using System.Text.Json;
using Millrace.Archiver.Rows;

namespace Millrace.Archiver.Files;

/// <summary>A promoted field as found in a body.</summary>
internal struct FieldValue
{
    /// <summary>False: the row's value is null.</summary>
    public bool Has;
    public double Double;

    /// <summary>A whole number, 0 or 1 for a boolean, microseconds since 1970 UTC for a time.</summary>
    public long Long;

    /// <summary>Where text lies in the body, when it needs no unescaping; else see <see cref="Text"/>.</summary>
    public int Start;
    public int Length;

    /// <summary>Text that had escapes, unescaped.</summary>
    public byte[]? Text;
}

/// <summary>
/// Finds the promoted fields of a JSON body in one pass, without building it. What is no JSON object, is malformed,
/// lacks a field or has another type there gives null: the body itself is archived in any case.
/// </summary>
internal sealed class FieldReader
{
    private static readonly JsonReaderOptions Lenient = new() { MaxDepth = 64, AllowTrailingCommas = false };

    private readonly PromotedColumn[] _columns;
    private readonly PathNode _root = new();

    public FieldReader(IReadOnlyList<PromotedColumn> columns)
    {
        _columns = [.. columns];
        for (var i = 0; i < _columns.Length; i++) _root.Add(_columns[i].Path.Names, i);
    }

    /// <summary>Fills <paramref name="values"/>, one for each column.</summary>
    public void Read(ReadOnlySpan<byte> body, Span<FieldValue> values)
    {
        values.Clear();
        var trimmed = body.TrimStart(" \t\r\n"u8);
        if (trimmed.IsEmpty || trimmed[0] != '{') return;
        try
        {
            var reader = new Utf8JsonReader(body, isFinalBlock: true, new JsonReaderState(Lenient));
            reader.Read();
            ReadObject(ref reader, _root, body, values);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Half a body says nothing about its fields.
            values.Clear();
        }
    }

    private void ReadObject(ref Utf8JsonReader reader, PathNode node, ReadOnlySpan<byte> body, Span<FieldValue> values)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var child = node.Find(ref reader);
            reader.Read();
            if (child is null)
            {
                reader.Skip();
                continue;
            }

            foreach (var column in child.Columns) values[column] = TryRead(ref reader, _columns[column].Type, body);
            if (reader.TokenType == JsonTokenType.StartObject && child.HasChildren)
                ReadObject(ref reader, child, body, values);
            else
                reader.Skip();
        }
    }

    /// <summary>Text may be valid JSON and yet no Unicode, as a lone surrogate: then this field is null.</summary>
    private static FieldValue TryRead(ref Utf8JsonReader reader, PromotedType type, ReadOnlySpan<byte> body)
    {
        try
        {
            return ReadValue(ref reader, type, body);
        }
        catch (InvalidOperationException)
        {
            return default;
        }
    }

    private static FieldValue ReadValue(ref Utf8JsonReader reader, PromotedType type, ReadOnlySpan<byte> body)
    {
        var value = default(FieldValue);
        switch (type)
        {
            case PromotedType.Double when reader.TokenType == JsonTokenType.Number:
                value.Has = reader.TryGetDouble(out value.Double) && double.IsFinite(value.Double);
                break;
            case PromotedType.BigInt when reader.TokenType == JsonTokenType.Number:
                value.Has = reader.TryGetInt64(out value.Long);
                break;
            case PromotedType.Bool when reader.TokenType is JsonTokenType.True or JsonTokenType.False:
                value.Has = true;
                value.Long = reader.TokenType == JsonTokenType.True ? 1 : 0;
                break;
            case PromotedType.Timestamp when reader.TokenType == JsonTokenType.String:
                value.Has = reader.TryGetDateTimeOffset(out var time) && TryMicros(ref reader, time, out value.Long);
                break;
            case PromotedType.String when reader.TokenType == JsonTokenType.String:
                value.Has = true;
                value.Start = (int)reader.TokenStartIndex + 1;
                value.Length = reader.ValueSpan.Length;
                if (reader.ValueIsEscaped || !System.Text.Unicode.Utf8.IsValid(body.Slice(value.Start, value.Length)))
                    value.Text = System.Text.Encoding.UTF8.GetBytes(reader.GetString()!);
                break;
        }

        return value;
    }

    /// <summary>Text without a zone is UTC; .NET would take the machine's zone.</summary>
    private static bool TryMicros(ref Utf8JsonReader reader, DateTimeOffset time, out long micros)
    {
        var wall = reader.TryGetDateTime(out var parsed) && parsed.Kind == DateTimeKind.Unspecified
            ? new DateTimeOffset(parsed, TimeSpan.Zero)
            : time;
        micros = (wall.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        return true;
    }

    /// <summary>The names that lead to some column, at one depth.</summary>
    private sealed class PathNode
    {
        private readonly List<(byte[] Name, PathNode Node)> _children = [];

        public List<int> Columns { get; } = [];

        public bool HasChildren => _children.Count > 0;

        public void Add(IEnumerable<byte[]> names, int column)
        {
            var node = this;
            foreach (var name in names)
            {
                var next = node._children.Find(child => child.Name.AsSpan().SequenceEqual(name)).Node;
                if (next is null) node._children.Add((name, next = new PathNode()));
                node = next;
            }

            node.Columns.Add(column);
        }

        public PathNode? Find(ref Utf8JsonReader reader)
        {
            try
            {
                foreach (var (name, node) in _children)
                {
                    if (reader.ValueTextEquals(name)) return node;
                }
            }
            catch (InvalidOperationException)
            {
                // A name that is no Unicode is none of ours.
            }

            return null;
        }
    }
}
