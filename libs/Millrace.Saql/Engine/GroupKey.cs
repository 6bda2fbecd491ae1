using System.Globalization;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// A group's key as text for a row's identity: values parted by commas; text in quotes, so that no two keys look alike.
/// </summary>
internal sealed class GroupKey
{
    private const int NumberBytesMax = 32;

    private byte[] _bytes = new byte[64];
    private int _used;

    /// <summary>UTF-8, good until the next call.</summary>
    public ReadOnlySpan<byte> Text(ReadOnlySpan<Value> keys)
    {
        _used = 0;
        foreach (ref readonly var key in keys)
        {
            if (_used > 0) Add(","u8);
            Add(ValueCodec.Canonical(key));
        }

        return _bytes.AsSpan(0, _used);
    }

    private void Add(in Value key)
    {
        switch (key.Kind)
        {
            case ValueKind.Null:
                Add("null"u8);
                break;
            case ValueKind.Bit:
                Add(key.Bit ? "true"u8 : "false"u8);
                break;
            case ValueKind.BigInt:
                Add(key.Integer, "");
                break;
            case ValueKind.Float:
                Add(key.Number, "R");
                break;
            case ValueKind.DateTime:
                Add(new DateTime(key.Ticks), "yyyy-MM-ddTHH:mm:ss.fffffff");
                Add("Z"u8);
                break;
            case ValueKind.Text:
                AddQuoted(key.Utf8);
                break;
            default:
                Add(key.Utf8);
                break;
        }
    }

    private void AddQuoted(ReadOnlySpan<byte> text)
    {
        Add("'"u8);
        for (var at = text.IndexOf((byte)'\''); at >= 0; at = text.IndexOf((byte)'\''))
        {
            Add(text[..at]);
            Add("''"u8);
            text = text[(at + 1)..];
        }

        Add(text);
        Add("'"u8);
    }

    private void Add<T>(T number, ReadOnlySpan<char> format) where T : IUtf8SpanFormattable
    {
        Reserve(NumberBytesMax);
        number.TryFormat(_bytes.AsSpan(_used), out var written, format, CultureInfo.InvariantCulture);
        _used += written;
    }

    private void Add(ReadOnlySpan<byte> utf8)
    {
        Reserve(utf8.Length);
        utf8.CopyTo(_bytes.AsSpan(_used));
        _used += utf8.Length;
    }

    private void Reserve(int count)
    {
        if (_bytes.Length < _used + count) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + count));
    }
}
