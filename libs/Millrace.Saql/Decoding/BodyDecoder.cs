using System.IO.Compression;
using System.Text;
using System.Text.Unicode;
using Millrace.Contracts;
using Millrace.Saql.Extensions;
using Millrace.Saql.Files;
using Millrace.Saql.Json;

namespace Millrace.Saql.Decoding;

/// <summary>
/// Bodies that are not JSON as they stand: compressed by content-encoding gzip or deflate, or of content type text/csv,
/// application/cbor, avro/binary, application/x-ndjson or one that the installation adds. They become JSON, so that
/// fields of whatever format are the same to a query.
/// </summary>
/// <param name="input">The name after FROM, for what its records are when they do not say it.</param>
internal sealed class BodyDecoder(QueryExtensions extensions, string input)
{
    public const string Csv = "text/csv";
    public const string Tsv = "text/tab-separated-values";
    public const string Cbor = "application/cbor";
    public const string Avro = "avro/binary";
    private const string AvroOther = "application/avro";
    private const string AvroVendor = "application/vnd.apache.avro";
    private const string Lines = "application/x-ndjson";
    private const string LinesOther = "application/jsonl";

    private readonly string _contentType = extensions.ContentTypeOf(input);

    /// <summary>The body is of a format that the installation adds, whatever its first byte looks like.</summary>
    public bool IsOfExtension(in RecordView record) =>
        extensions.HasDecoders && extensions.DecoderOf(ContentType(record)) is not null;

    /// <summary>The record is of a format that knows text alone, or was made of one.</summary>
    public bool IsUntyped(in RecordView record) => record.TryGetHeader(FileLineHeaders.Untyped, out _)
        || IsUntyped(ContentType(record));

    /// <summary>The format knows text alone.</summary>
    public static bool IsUntyped(string contentType) =>
        QueryExtensions.MediaTypeOf(contentType).ToLowerInvariant() is Csv or Tsv;

    /// <summary>The record holds a JSON value a line.</summary>
    public bool IsLines(in RecordView record) =>
        QueryExtensions.MediaTypeOf(ContentType(record)).ToLowerInvariant() is Lines or LinesOther;

    /// <summary>Whether a content type is one that is read without an extension.</summary>
    public static bool IsKnown(string contentType) =>
        QueryExtensions.MediaTypeOf(contentType).ToLowerInvariant() is
            Csv or Tsv or Cbor or Avro or AvroOther or AvroVendor or Lines or LinesOther;

    /// <summary>What a body of one of these is as JSON; null for another content type.</summary>
    public static byte[]? ToJson(ReadOnlySpan<byte> content, string contentType, long bytesMax) =>
        QueryExtensions.MediaTypeOf(contentType).ToLowerInvariant() switch
        {
            Csv or Tsv => CsvBody.ToJson(content, bytesMax, CsvBody.SeparatorOf(contentType)),
            Cbor => CborBody.ToJson(content, bytesMax),
            Avro or AvroOther or AvroVendor => AvroBody.ToJson(content, bytesMax),
            Lines or LinesOther => LinesBody.ToJson(content),
            _ => null,
        };

    /// <summary>The body as JSON; null (and why) when it cannot be decoded.</summary>
    public byte[]? TryDecode(in RecordView record, out string reason) => TryDecode(
        record.Value, ContentType(record), Header(record, TelemetryHeaders.ContentEncoding), out reason);

    private byte[]? TryDecode(ReadOnlySpan<byte> body, string contentType, string encoding, out string reason)
    {
        reason = "It is no JSON object or array in UTF-8.";
        byte[]? unpacked = null;
        encoding = encoding.ToLowerInvariant();
        if (encoding is not ("" or "utf-8" or "identity"))
        {
            unpacked = TryUnpack(body.ToArray(), encoding, ref reason);
            if (unpacked is null) return null;
        }

        var content = unpacked ?? body;
        try
        {
            if (extensions.DecoderOf(contentType) is { } own)
            {
                var json = own.ToJson(unpacked ?? body.ToArray(), contentType);
                DecodedBody.Check(json.Length);
                return json;
            }

            return ToJson(content, contentType, DecodedBody.BytesMax) ?? unpacked;
        }
        catch (Exception wrong) when (wrong is FormatException or InvalidOperationException or KeyNotFoundException)
        {
            reason = wrong.Message;
            return null;
        }
    }

    /// <summary>A body that lies outside of the log, as one JSON object; null when it is none.</summary>
    public byte[]? ObjectOf(byte[] body, string? contentType, string? encoding)
    {
        if (string.IsNullOrEmpty(contentType)) contentType = _contentType;
        var isOwn = extensions.DecoderOf(contentType) is not null;
        var json = isOwn || !IsObject(body) ? TryDecode(body, contentType, encoding ?? "", out _) : body;
        return json is not null && IsObject(json) ? json : null;
    }

    private static bool IsObject(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) return false;
        var scanner = new JsonScanner(json);
        scanner.SkipBlanks();
        if (scanner.Current != '{' || !scanner.TrySkipValue()) return false;
        scanner.SkipBlanks();
        return scanner.AtEnd;
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

        return TryReadAll(stream, DecodedBody.BytesMax, ref reason);
    }

    public static byte[]? TryReadAll(Stream stream, long bytesMax, ref string reason)
    {
        using var unpacked = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            for (var read = stream.Read(buffer); read > 0; read = stream.Read(buffer))
            {
                unpacked.Write(buffer.AsSpan(0, read));
                if (unpacked.Length <= bytesMax) continue;
                reason = $"It unpacks to more than {bytesMax} bytes.";
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
