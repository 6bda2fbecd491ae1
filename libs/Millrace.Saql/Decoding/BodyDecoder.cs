using System.IO.Compression;
using System.Text;
using Millrace.Contracts;
using Millrace.Saql.Extensions;

namespace Millrace.Saql.Decoding;

/// <summary>
/// Bodies that are not JSON as they stand: compressed by content-encoding gzip or deflate, or of content type text/csv,
/// application/cbor, avro/binary or one that the installation adds. They become JSON, so that fields of whatever format
/// are the same to a query.
/// </summary>
/// <param name="input">The name after FROM, for what its records are when they do not say it.</param>
internal sealed class BodyDecoder(QueryExtensions extensions, string input)
{
    /// <summary>The most that a body may become.</summary>
    private const int DecodedBytesMax = 16 * 1024 * 1024;

    private readonly string _contentType = extensions.ContentTypeOf(input);

    /// <summary>The body is of a format that the installation adds, whatever its first byte looks like.</summary>
    public bool IsOfExtension(in RecordView record) =>
        extensions.HasDecoders && extensions.DecoderOf(ContentType(record)) is not null;

    /// <summary>The body as JSON; null (and why) when it cannot be decoded.</summary>
    public byte[]? TryDecode(in RecordView record, out string reason)
    {
        reason = "It is no JSON object or array in UTF-8.";
        var body = record.Value;
        byte[]? unpacked = null;
        var encoding = Header(record, TelemetryHeaders.ContentEncoding).ToLowerInvariant();
        if (encoding is not ("" or "utf-8" or "identity"))
        {
            unpacked = TryUnpack(body.ToArray(), encoding, ref reason);
            if (unpacked is null) return null;
        }

        var content = unpacked ?? body;
        try
        {
            var contentType = ContentType(record);
            if (extensions.DecoderOf(contentType) is { } own)
                return own.ToJson(unpacked ?? body.ToArray(), contentType);
            return QueryExtensions.MediaTypeOf(contentType).ToLowerInvariant() switch
            {
                "text/csv" => CsvBody.ToJson(content),
                "application/cbor" => CborBody.ToJson(content),
                "avro/binary" or "application/avro" or "application/vnd.apache.avro" => AvroBody.ToJson(content),
                _ => unpacked,
            };
        }
        catch (Exception wrong) when (wrong is FormatException or InvalidOperationException or KeyNotFoundException)
        {
            reason = wrong.Message;
            return null;
        }
    }

    private string ContentType(in RecordView record) =>
        Header(record, TelemetryHeaders.ContentType) is { Length: > 0 } own ? own : _contentType;

    private static string Header(in RecordView record, ReadOnlySpan<byte> name) =>
        record.TryGetHeader(name, out var value) ? Encoding.UTF8.GetString(value).Trim() : "";

    private static byte[]? TryUnpack(byte[] body, string encoding, ref string reason)
    {
        using var packed = new MemoryStream(body);
        // "deflate" is the zlib format; some senders leave its head and tail out.
        var hasHead = body.Length > 1 && (body[0] & 0x0F) == 8 && ((body[0] << 8) | body[1]) % 31 == 0;
        using Stream? stream = encoding switch
        {
            "gzip" => new GZipStream(packed, CompressionMode.Decompress),
            "deflate" when hasHead => new ZLibStream(packed, CompressionMode.Decompress),
            "deflate" => new DeflateStream(packed, CompressionMode.Decompress),
            _ => null,
        };
        if (stream is null)
        {
            reason = $"Its content-encoding is '{encoding}'; known are gzip and deflate.";
            return null;
        }

        return TryReadAll(stream, ref reason);
    }

    public static byte[]? TryReadAll(Stream stream, ref string reason)
    {
        using var unpacked = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            for (var read = stream.Read(buffer); read > 0; read = stream.Read(buffer))
            {
                unpacked.Write(buffer.AsSpan(0, read));
                if (unpacked.Length <= DecodedBytesMax) continue;
                reason = $"It unpacks to more than {DecodedBytesMax} bytes.";
                return null;
            }
        }
        catch (InvalidDataException)
        {
            reason = "It is damaged: it cannot be unpacked.";
            return null;
        }

        return unpacked.ToArray();
    }
}
