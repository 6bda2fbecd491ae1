using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Decoding;

/// <summary>
/// CBOR (RFC 8949) to JSON. Byte strings become base64, keys that are no text become their text, tags are passed
/// over but for those of bignums, which are numbers.
/// </summary>
internal ref struct CborBody
{
    private const int DepthMax = 64;
    private const byte Break = 0xFF;

    /// <summary>The most of an integer as bytes: far beyond what a float reaches.</summary>
    private const int BignumBytesMax = 256;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly long _bytesMax;
    private readonly StringBuilder _json = new();
    private int _at;

    private CborBody(ReadOnlySpan<byte> bytes, long bytesMax)
    {
        _bytes = bytes;
        _bytesMax = bytesMax;
    }

    /// <param name="bytesMax">
    /// The most that it may become: a key that is a map doubles the escapes of what lies in it.
    /// </param>
    public static byte[] ToJson(ReadOnlySpan<byte> cbor, long bytesMax)
    {
        var reader = new CborBody(cbor, bytesMax);
        reader.Item(0);
        if (reader._at < cbor.Length) throw new FormatException("Something follows the CBOR item.");
        return Encoding.UTF8.GetBytes(reader._json.ToString());
    }

    private void Item(int depth)
    {
        if (depth > DepthMax) throw new FormatException($"The CBOR nests more than {DepthMax} levels deep.");
        DecodedBody.Check(_json.Length, _bytesMax);
        var head = Next();
        var (major, info) = (head >> 5, head & 0x1F);
        switch (major)
        {
            case 0:
                _json.Append(Argument(info));
                break;
            case 1:
                _json.Append(CultureInfo.InvariantCulture, $"{-1 - (Int128)Argument(info)}");
                break;
            case 2:
                Text(Convert.ToBase64String(Chunks(2, info)));
                break;
            case 3:
                Text(Encoding.UTF8.GetString(Chunks(3, info)));
                break;
            case 4:
                Array(info, depth);
                break;
            case 5:
                Map(info, depth);
                break;
            case 6:
                Tagged(Argument(info), depth);
                break;
            default:
                Simple(info);
                break;
        }
    }

    /// <summary>Of all tags only those of bignums (RFC 8949, 3.4.3) are looked at.</summary>
    private void Tagged(ulong tag, int depth)
    {
        const ulong Bignum = 2, NegativeBignum = 3;
        var isBytes = _at < _bytes.Length && _bytes[_at] >> 5 == 2;
        if (!isBytes || tag is not (Bignum or NegativeBignum))
        {
            Item(depth + 1);
            return;
        }

        var bytes = Chunks(2, Next() & 0x1F);
        if (bytes.Length > BignumBytesMax)
            throw new FormatException($"A CBOR bignum has more than {BignumBytesMax} bytes.");
        var number = new BigInteger(bytes, isUnsigned: true, isBigEndian: true);
        _json.Append(CultureInfo.InvariantCulture, $"{(tag == Bignum ? number : -1 - number)}");
    }

    private void Array(int info, int depth)
    {
        _json.Append('[');
        var left = info == 31 ? ulong.MaxValue : Argument(info);
        for (var i = 0UL; i < left && !(info == 31 && TakeBreak()); i++)
        {
            if (i > 0) _json.Append(',');
            Item(depth + 1);
        }

        _json.Append(']');
    }

    private void Map(int info, int depth)
    {
        _json.Append('{');
        var left = info == 31 ? ulong.MaxValue : Argument(info);
        for (var i = 0UL; i < left && !(info == 31 && TakeBreak()); i++)
        {
            if (i > 0) _json.Append(',');
            var isText = _at < _bytes.Length && _bytes[_at] >> 5 == 3;
            var start = _json.Length;
            Item(depth + 1);
            if (!isText)
            {
                var key = _json.ToString(start, _json.Length - start).Trim('"');
                _json.Length = start;
                Text(key);
            }

            _json.Append(':');
            Item(depth + 1);
        }

        _json.Append('}');
    }

    private void Simple(int info)
    {
        switch (info)
        {
            case 20 or 21:
                _json.Append(info == 21 ? "true" : "false");
                break;
            case 22 or 23:
                _json.Append("null");
                break;
            case 25:
                Number((double)BinaryPrimitives.ReadHalfBigEndian(Take(2)));
                break;
            case 26:
                Number(BinaryPrimitives.ReadSingleBigEndian(Take(4)));
                break;
            case 27:
                Number(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                break;
            default:
                throw new FormatException($"The CBOR has a simple value {info} without a meaning.");
        }
    }

    private readonly void Number(double number)
    {
        if (!double.IsFinite(number)) _json.Append("null");
        else
        {
            Span<byte> text = stackalloc byte[NumberText.LengthMax];
            _json.Append(Encoding.UTF8.GetString(text[..NumberText.Write(number, text)]));
        }
    }

    private readonly void Text(string text)
    {
        var token = Encoding.UTF8.GetString(JsonRowWriter.NameToken(text));
        _json.Append(token, 0, token.Length - 1);
    }

    private byte[] Chunks(int major, int info)
    {
        if (info != 31) return Take(Argument(info)).ToArray();
        var all = new List<byte>();
        while (!TakeBreak())
        {
            var head = Next();
            if (head >> 5 != major) throw new FormatException("A part of a CBOR string is of another type.");
            all.AddRange(Take(Argument(head & 0x1F)).ToArray());
        }

        return [.. all];
    }

    private bool TakeBreak()
    {
        if (_at >= _bytes.Length) throw new FormatException("The CBOR ends too early.");
        if (_bytes[_at] != Break) return false;
        _at++;
        return true;
    }

    private ulong Argument(int info) => info switch
    {
        < 24 => (ulong)info,
        24 => Next(),
        25 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
        26 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
        27 => BinaryPrimitives.ReadUInt64BigEndian(Take(8)),
        _ => throw new FormatException("The CBOR has a length of a kind that there is not."),
    };

    private byte Next() => Take(1)[0];

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(_bytes.Length - _at)) throw new FormatException("The CBOR ends too early.");
        _at += (int)count;
        return _bytes.Slice(_at - (int)count, (int)count);
    }
}
