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
        encoding = encoding.ToLowerInvariant();
        try
        {
            var unpacked = encoding is "" or "utf-8" or "identity"
                ? null
                : PackedBody.Unpack(body.ToArray(), encoding, DecodedBody.BytesMax);
            var content = unpacked ?? body;
            if (extensions.DecoderOf(contentType) is { } own)
            {
                var json = own.ToJson(unpacked ?? body.ToArray(), contentType);
                DecodedBody.Check(json.Length);
                return json;
            }

            return ToJson(content, contentType, DecodedBody.BytesMax) ??
                (ByteOrderMark.IsAt(content) ? ByteOrderMark.Without(content).ToArray() : unpacked);
        }
        catch (Exception wrong) when (DecodedBody.IsDamage(wrong))
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
}
