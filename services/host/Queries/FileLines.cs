using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Millrace.Queries;

/// <param name="Number">From 1.</param>
/// <param name="Start">The offset of its first byte in the file.</param>
internal readonly record struct FileLineText(ReadOnlyMemory<byte> Text, long Number, long Start);

/// <summary>The lines of a file that are not blank, without line ends and without a byte order mark.</summary>
internal static class FileLines
{
    private const int BufferBytes = 1 << 16;

    /// <summary>A line's text is valid until the next one is asked for.</summary>
    public static async IAsyncEnumerable<FileLineText> ReadAsync(
        string file, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var stream = File.OpenRead(file);
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: BufferBytes));
        var (number, start) = (0L, 0L);
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            var buffer = read.Buffer;
            while (Take(ref buffer, read.IsCompleted, out var line, out var taken))
            {
                number++;
                var text = number == 1 ? WithoutMark(line) : line;
                if (!IsBlank(text.Span)) yield return new FileLineText(text, number, start + line.Length - text.Length);
                start += taken;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted) yield break;
        }
    }

    /// <summary>The line that begins at this byte.</summary>
    public static ReadOnlyMemory<byte> At(string file, long start)
    {
        using var handle = File.OpenHandle(file);
        var bytes = new byte[BufferBytes];
        var length = 0;
        while (true)
        {
            var read = RandomAccess.Read(handle, bytes.AsSpan(length), start + length);
            var end = bytes.AsSpan(length, read).IndexOf((byte)'\n');
            if (end >= 0 || read == 0) return WithoutReturn(bytes.AsMemory(0, length + Math.Max(end, 0)));
            length += read;
            if (length == bytes.Length) Array.Resize(ref bytes, length * 2);
        }
    }

    private static bool Take(
        ref ReadOnlySequence<byte> buffer, bool last, out ReadOnlyMemory<byte> line, out long taken)
    {
        var end = buffer.PositionOf((byte)'\n');
        (line, taken) = (default, 0);
        if (end is null && (!last || buffer.IsEmpty)) return false;
        var part = end is { } position ? buffer.Slice(0, position) : buffer;
        taken = part.Length + (end is null ? 0 : 1);
        line = WithoutReturn(part.IsSingleSegment ? part.First : part.ToArray());
        buffer = buffer.Slice(taken);
        return true;
    }

    private static ReadOnlyMemory<byte> WithoutReturn(ReadOnlyMemory<byte> line) =>
        line.Length > 0 && line.Span[^1] == '\r' ? line[..^1] : line;

    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> line) =>
        line.Span.StartsWith("\uFEFF"u8) ? line[3..] : line;

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(" \t\r"u8) < 0;
}
