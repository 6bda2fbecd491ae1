using Millrace.Saql.Decoding;
using Millrace.Saql.Extensions;

namespace Millrace.Saql.Files;

/// <summary>Bodies that were kept, as a query that reads them would see them.</summary>
public sealed class TelemetryBody
{
    private readonly BodyDecoder _decoder;

    /// <param name="input">The input that the bodies came in by.</param>
    public TelemetryBody(QueryExtensions extensions, string input) => _decoder = new BodyDecoder(extensions, input);

    /// <summary>The body as one JSON object in UTF-8; null when it is none, or an array.</summary>
    public byte[]? ObjectOf(byte[] body, string? contentType, string? contentEncoding) =>
        _decoder.ObjectOf(body, contentType, contentEncoding);
}
