namespace Millrace.Saql.Files;

/// <summary>Headers that count only in records made from lines of a file.</summary>
internal static class FileLineHeaders
{
    /// <summary>Enqueued time and arrival in ticks, 8 bytes each; long.MinValue where the line has none.</summary>
    public static ReadOnlySpan<byte> Times => "file-line-times"u8;

    /// <summary>There (and empty) when the line was made of a format that knows text alone.</summary>
    public static ReadOnlySpan<byte> Untyped => "file-line-untyped"u8;
}
