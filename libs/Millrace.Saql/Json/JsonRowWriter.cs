using System.Buffers;
using System.Text;
using Millrace.Saql.Values;

namespace Millrace.Saql.Json;

/// <summary>Writes rows as JSON objects into a buffer of its own, used again for each row.</summary>
internal sealed class JsonRowWriter
{
    private static readonly SearchValues<byte> Blanks = SearchValues.Create(" \t\r\n"u8);
    private static readonly SearchValues<byte> Escaped = SearchValues.Create(EscapedBytes());

    private byte[] _buffer = new byte[1024];
    private int _used;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _used);

    public void Begin()
    {
        _used = 0;
        Put((byte)'{');
    }

    public void End() => Put((byte)'}');

    public void BeginArray()
    {
        _used = 0;
        Put((byte)'[');
    }

    public void EndArray() => Put((byte)']');

    public void Element(in Value value)
    {
        if (_used > 1) Put((byte)',');
        Value(value);
    }

    /// <summary>An object as the next element of an array.</summary>
    public void BeginElement()
    {
        if (_used > 1) Put((byte)',');
        Put((byte)'{');
    }

    /// <summary>A member's name with its quotes and colon, as <see cref="NameToken"/> makes it.</summary>
    public void Name(ReadOnlySpan<byte> token)
    {
        Separate();
        Put(token);
    }

    public static byte[] NameToken(string name)
    {
        var writer = new JsonRowWriter();
        writer.Text(Encoding.UTF8.GetBytes(name));
        writer.Put((byte)':');
        return writer.Written.ToArray();
    }

    public void Value(in Value value)
    {
        switch (value.Kind)
        {
            case ValueKind.Bit:
                Put(value.Bit ? "true"u8 : "false"u8);
                break;
            case ValueKind.BigInt:
                _used += NumberText.Write(value.Integer, Room(NumberText.LengthMax));
                break;
            case ValueKind.Float when double.IsFinite(value.Number):
                _used += NumberText.Write(value.Number, Room(NumberText.LengthMax));
                break;
            case ValueKind.DateTime:
                Put((byte)'"');
                _used += DateTimeText.Write(value.Ticks, Room(DateTimeText.Length));
                Put((byte)'"');
                break;
            case ValueKind.Text:
                Text(value.Utf8);
                break;
            case ValueKind.Record or ValueKind.Array:
                Json(value.Utf8);
                break;
            default:
                Put("null"u8);
                break;
        }
    }

    /// <summary>JSON text as it came, but without blanks and line ends between its tokens.</summary>
    public void Json(ReadOnlySpan<byte> json)
    {
        if (json.ContainsAny(Blanks)) _used += JsonScanner.Compact(json, Room(json.Length));
        else Put(json);
    }

    /// <summary>A string as it came, with its escapes.</summary>
    public void NameAsWritten(ReadOnlySpan<byte> content)
    {
        Separate();
        Put((byte)'"');
        Put(content);
        Put("\":"u8);
    }

    /// <summary>A comma, unless this is the first member.</summary>
    private void Separate()
    {
        if (_buffer[_used - 1] != '{') Put((byte)',');
    }

    private void Text(ReadOnlySpan<byte> utf8)
    {
        Put((byte)'"');
        for (var special = utf8.IndexOfAny(Escaped); special >= 0; special = utf8.IndexOfAny(Escaped))
        {
            Put(utf8[..special]);
            Escape(utf8[special]);
            utf8 = utf8[(special + 1)..];
        }

        Put(utf8);
        Put((byte)'"');
    }

    private void Escape(byte octet)
    {
        switch (octet)
        {
            case (byte)'"':
                Put("\\\""u8);
                break;
            case (byte)'\\':
                Put("\\\\"u8);
                break;
            case (byte)'\n':
                Put("\\n"u8);
                break;
            case (byte)'\r':
                Put("\\r"u8);
                break;
            case (byte)'\t':
                Put("\\t"u8);
                break;
            default:
                Put("\\u00"u8);
                Put((byte)"0123456789abcdef"[octet >> 4]);
                Put((byte)"0123456789abcdef"[octet & 15]);
                break;
        }
    }

    private void Put(byte octet)
    {
        Room(1)[0] = octet;
        _used++;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _used += bytes.Length;
    }

    private Span<byte> Room(int count)
    {
        if (_buffer.Length - _used < count) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _used + count));
        return _buffer.AsSpan(_used);
    }

    private static byte[] EscapedBytes()
    {
        var bytes = new List<byte> { (byte)'"', (byte)'\\' };
        for (byte control = 0; control < 0x20; control++) bytes.Add(control);
        return [.. bytes];
    }
}
