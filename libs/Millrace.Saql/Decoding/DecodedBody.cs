namespace Millrace.Saql.Decoding;

/// <summary>What a body may become, whatever its format: a few bytes of one can say gigabytes of JSON.</summary>
public static class DecodedBody
{
    /// <summary>The most JSON that one body becomes, and the most that a packed one unpacks to.</summary>
    public const int BytesMax = 16 * 1024 * 1024;

    /// <summary>
    /// What a decoder throws is of the body that it was given, and fails that alone: it would come again whenever the
    /// body is read again. But for what says that the process has no memory, or was told to stop.
    /// </summary>
    public static bool IsDamage(Exception wrong) => wrong is not (OutOfMemoryException or OperationCanceledException);

    /// <summary>Tells a decoder that it has written too much.</summary>
    /// <exception cref="FormatException">It is more than the most.</exception>
    public static void Check(long bytes, long bytesMax = BytesMax)
    {
        if (bytes > bytesMax) throw new FormatException($"It becomes more than {bytesMax} bytes of JSON.");
    }
}
