using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Millrace.Saql.Decoding;

/// <summary>An Avro object container file, which carries its schema, to a JSON array of its records.</summary>
internal ref struct AvroBody
{
    private const int DepthMax = 64;

    /// <summary>Null, or a record of nothing, takes no byte, so that any number of them could be said.</summary>
    private const int EmptyMax = 100_000;

    private readonly AvroNames _names;
    private readonly Utf8JsonWriter _json;
    private readonly long _bytesMax;
    private ReadOnlySpan<byte> _rest;
    private int _empty;

    private AvroBody(ReadOnlySpan<byte> bytes, Utf8JsonWriter json, AvroNames names, long bytesMax)
    {
        _rest = bytes;
        (_json, _names, _bytesMax) = (json, names, bytesMax);
    }

    /// <param name="bytesMax">The most that it may become: a record without fields takes no byte of the file.</param>
    public static byte[] ToJson(ReadOnlySpan<byte> file, long bytesMax)
    {
        if (!file.StartsWith("Obj\u0001"u8)) throw new FormatException("It is no Avro object container file.");
        using var stream = new MemoryStream();
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions
        {
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        });
        var names = new AvroNames();
        var head = new AvroBody(file[4..], json, names, bytesMax);
        var metadata = head.Metadata();
        if (!metadata.TryGetValue("avro.schema", out var text)) throw new FormatException("The Avro has no schema.");
        JsonElement schema;
        try
        {
            schema = JsonDocument.Parse(text).RootElement;
        }
        catch (JsonException wrong)
        {
            throw new FormatException($"The Avro schema is no JSON: {wrong.Message}");
        }

        names.Learn(schema);
        var isDeflated = metadata.TryGetValue("avro.codec", out var codec) && codec.AsSpan().SequenceEqual("deflate"u8);
        if (codec is { Length: > 0 } && !isDeflated && !codec.AsSpan().SequenceEqual("null"u8))
            throw new FormatException($"The Avro codec {Encoding.UTF8.GetString(codec)} is not known.");
        json.WriteStartArray();
        head.Blocks(schema, isDeflated);
        json.WriteEndArray();
        json.Flush();
        return stream.ToArray();
    }

    private void Blocks(JsonElement schema, bool isDeflated)
    {
        var sync = Take(16).ToArray();
        var left = _bytesMax;
        while (_rest.Length > 0)
        {
            var count = Long();
            var bytes = Take(Long());
            var content = isDeflated ? PackedBody.FromDeflate(bytes.ToArray(), left) : bytes;
            left -= content.Length;
            var block = new AvroBody(content, _json, _names, _bytesMax);
            block._empty = _empty;
            for (var i = 0L; i < count; i++) block.Item(schema, "", 0);
            _empty = block._empty;
            if (!Take(16).SequenceEqual(sync)) throw new FormatException("A block of the Avro has another mark.");
        }
    }

    private Dictionary<string, byte[]> Metadata()
    {
        var metadata = new Dictionary<string, byte[]>();
        for (var count = BlockCount(); count > 0; count = BlockCount())
        {
            for (var i = 0L; i < count; i++) metadata[Encoding.UTF8.GetString(Take(Long()))] = Take(Long()).ToArray();
        }

        return metadata;
    }

    /// <summary>One of as many as a count says.</summary>
    private void Item(JsonElement schema, string space, int depth)
    {
        var before = _rest.Length;
        Datum(schema, space, depth);
        if (_rest.Length < before || ++_empty <= EmptyMax) return;
        throw new FormatException($"The Avro has more items that take no bytes than {EmptyMax}.");
    }

    /// <param name="space">The namespace that names without one are of.</param>
    private void Datum(JsonElement schema, string space, int depth)
    {
        if (depth > DepthMax) throw new FormatException($"The Avro nests more than {DepthMax} levels deep.");
        DecodedBody.Check(_json.BytesCommitted + _json.BytesPending, _bytesMax);
        if (schema.ValueKind == JsonValueKind.Array)
        {
            var branch = Long();
            if (branch < 0 || branch >= schema.GetArrayLength())
                throw new FormatException("An Avro union has no such branch.");
            Datum(schema[(int)branch], space, depth + 1);
            return;
        }

        var type = schema.ValueKind == JsonValueKind.Object ? schema.GetProperty("type") : schema;
        if (type.ValueKind != JsonValueKind.String)
        {
            Datum(type, space, depth + 1);
            return;
        }

        if (!TryPrimitive(type.GetString()!)) Complex(type.GetString()!, schema, space, depth);
    }

    private bool TryPrimitive(string type)
    {
        switch (type)
        {
            case "null":
                _json.WriteNullValue();
                return true;
            case "boolean":
                _json.WriteBooleanValue(Take(1)[0] != 0);
                return true;
            case "int" or "long":
                _json.WriteNumberValue(Long());
                return true;
            case "float":
                Number(BinaryPrimitives.ReadSingleLittleEndian(Take(4)));
                return true;
            case "double":
                Number(BinaryPrimitives.ReadDoubleLittleEndian(Take(8)));
                return true;
            case "string":
                _json.WriteStringValue(Encoding.UTF8.GetString(Take(Long())));
                return true;
            case "bytes":
                _json.WriteBase64StringValue(Take(Long()));
                return true;
            default:
                return false;
        }
    }

    private void Complex(string type, JsonElement schema, string space, int depth)
    {
        switch (type)
        {
            case "record":
                space = AvroNames.SpaceOf(schema, space);
                _json.WriteStartObject();
                foreach (var field in schema.GetProperty("fields").EnumerateArray())
                {
                    _json.WritePropertyName(AvroNames.NameOf(field));
                    Datum(field.GetProperty("type"), space, depth + 1);
                }

                _json.WriteEndObject();
                break;
            case "enum":
                var symbols = schema.GetProperty("symbols");
                var index = Long();
                if (index < 0 || index >= symbols.GetArrayLength())
                    throw new FormatException("An Avro enum has no such symbol.");
                _json.WriteStringValue(symbols[(int)index].GetString());
                break;
            case "fixed":
                _json.WriteBase64StringValue(Take(schema.GetProperty("size").GetInt64()));
                break;
            case "array":
                _json.WriteStartArray();
                for (var count = BlockCount(); count > 0; count = BlockCount())
                {
                    for (var i = 0L; i < count; i++) Item(schema.GetProperty("items"), space, depth + 1);
                }

                _json.WriteEndArray();
                break;
            case "map":
                _json.WriteStartObject();
                for (var count = BlockCount(); count > 0; count = BlockCount())
                {
                    for (var i = 0L; i < count; i++)
                    {
                        _json.WritePropertyName(Encoding.UTF8.GetString(Take(Long())));
                        Datum(schema.GetProperty("values"), space, depth + 1);
                    }
                }

                _json.WriteEndObject();
                break;
            default:
                var (named, around) = _names.Find(type, space);
                Datum(named, around, depth + 1);
                break;
        }
    }

    /// <summary>As JSON writes a float: with a point, so that it stays one.</summary>
    private readonly void Number(double number)
    {
        if (!double.IsFinite(number)) _json.WriteNullValue();
        else
        {
            Span<byte> text = stackalloc byte[Values.NumberText.LengthMax];
            _json.WriteRawValue(text[..Values.NumberText.Write(number, text)]);
        }
    }

    /// <summary>A negative count is followed by the block's length, which is not needed.</summary>
    private long BlockCount()
    {
        var count = Long();
        if (count >= 0) return count;
        Long();
        return -count;
    }

    private long Long()
    {
        var (value, shift) = (0UL, 0);
        while (true)
        {
            var octet = Take(1)[0];
            if (shift > 63) throw new FormatException("An Avro number is too long.");
            value |= (ulong)(octet & 0x7F) << shift;
            if (octet < 0x80) return (long)(value >> 1) ^ -(long)(value & 1);
            shift += 7;
        }
    }

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > _rest.Length) throw new FormatException("The Avro ends too early.");
        var taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }
}
