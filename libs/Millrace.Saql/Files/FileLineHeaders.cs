namespace Millrace.Saql.Files;

/// <summary>Headers that count only in records made from lines of a file.</summary>
internal static class FileLineHeaders
{
    /// <summary>Enqueued time and arrival in ticks, 8 bytes each; long.MinValue where the line has none.</summary>
    public static ReadOnlySpan<byte> Times => "file-line-times"u8;
}
