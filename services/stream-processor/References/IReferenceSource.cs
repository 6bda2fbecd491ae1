namespace Millrace.StreamProcessor.References;

/// <summary>Where reference data lives.</summary>
internal interface IReferenceSource
{
    /// <summary>
    /// All entries as they are now, each one JSON object in UTF-8. What cannot be read, or is too large, is a
    /// <see cref="Primitives.MillraceException"/>.
    /// </summary>
    Task<IReadOnlyList<byte[]>> ReadAsync(CancellationToken ct);
}
