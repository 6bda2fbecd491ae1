using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Millrace.EventLog.Disk;

namespace Millrace.EventLog.Local;

/// <summary>Makes and opens segment files.</summary>
internal static class SegmentFile
{
    /// <summary>Ends the name of a file that is not whole yet, and counts for nothing.</summary>
    public const string Unfinished = ".new";

    /// <summary>
    /// A new segment in the folder, durable when this returns. It gets its name only with its header in it, and takes
    /// the place of an empty one of that name at once: at no time is there a segment without its header, or none.
    /// </summary>
    public static (Segment Segment, ILogFile File) Make(LogRuntime runtime, string folder, long firstOffset)
    {
        var disk = runtime.Disk;
        var path = Path.Combine(folder, Segment.FileName(firstOffset));
        var unfinished = path + Unfinished;
        disk.Delete(unfinished);

        Span<byte> salt = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(salt);
        var header = new SegmentHeader(firstOffset, runtime.NowMs, BinaryPrimitives.ReadUInt64LittleEndian(salt));
        Span<byte> bytes = stackalloc byte[SegmentHeader.Size];
        header.Write(bytes);

        var file = disk.Create(unfinished);
        try
        {
            file.Write(bytes, 0);
            file.Sync();
            disk.Rename(unfinished, path);
            disk.SyncFolder(folder);
            return (new Segment(path, header, runtime.Options.IndexIntervalBytes.Bytes), file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The offset that a segment's file name says.</summary>
    public static long FirstOffset(string name)
    {
        var digits = name.AsSpan(0, name.Length - Segment.Suffix.Length);
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? offset : -1;
    }
}
