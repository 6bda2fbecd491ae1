namespace Millrace.Saql.Decoding;

/// <summary>What some write before a text in UTF-8, and is no part of it.</summary>
internal static class ByteOrderMark
{
    private static ReadOnlySpan<byte> Mark => "\uFEFF"u8;

    public static bool IsAt(ReadOnlySpan<byte> text) => text.StartsWith(Mark);

    public static ReadOnlySpan<byte> Without(ReadOnlySpan<byte> text) => IsAt(text) ? text[Mark.Length..] : text;
}
