using System.Buffers.Binary;
using Millrace.EventLog.Disk;
using Millrace.Primitives;

namespace Millrace.EventLog.Local.WriteAhead;

/// <summary>
/// What a file of the write-ahead log has: a head, and frames whose numbers count up by one. The head, little-endian:
/// <code>"MRWAL001" · i64 number of the first frame · u64 salt · u32 0 · u32 CRC32C</code>
/// A file is used again and again, with a new salt: what is behind its frames belongs to nobody.
/// </summary>
internal sealed class WriteAheadContent
{
    public const int HeadBytes = 32;
    private const int CheckedBytes = 28;

    private readonly string _path;
    private readonly byte[] _bytes;
    private readonly ulong _salt;

    private WriteAheadContent(string path, byte[] bytes)
    {
        (_path, _bytes) = (path, bytes);
        FirstNumber = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(8));
        _salt = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(16));
        Batches = Read();
    }

    public long FirstNumber { get; }

    /// <summary>The number that the next frame would have.</summary>
    public long NextNumber { get; private set; }

    /// <summary>Of all whole frames, in their order.</summary>
    public List<AheadBatch> Batches { get; }

    /// <summary>Where the whole frames end.</summary>
    public int End { get; private set; } = HeadBytes;

    public static void WriteHead(Span<byte> target, long firstNumber, ulong salt)
    {
        "MRWAL001"u8.CopyTo(target);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], firstNumber);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], salt);
        BinaryPrimitives.WriteInt32LittleEndian(target[24..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(target[28..], Crc32C.Compute(target[..CheckedBytes]));
    }

    /// <summary>
    /// Null when the file has no head: one is written only when all that the file had is durable elsewhere, so that a
    /// torn one loses nothing.
    /// </summary>
    public static WriteAheadContent? Read(ILogDisk disk, string path)
    {
        if (!disk.FileExists(path)) return null;
        using var file = disk.Open(path);
        var bytes = new byte[file.Length];
        var count = file.Read(bytes, 0);
        if (count < HeadBytes || !bytes.AsSpan().StartsWith("MRWAL001"u8)) return null;
        var crc = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(28));
        return crc == Crc32C.Compute(bytes.AsSpan(0, CheckedBytes)) ? new WriteAheadContent(path, bytes) : null;
    }

    /// <summary>
    /// A frame is written only when the one before it is durable: with one behind the end, what lies between is no torn
    /// write but damage (LOG-0002).
    /// </summary>
    public void RefuseDamage()
    {
        for (var at = End; at < _bytes.Length; at++)
        {
            var found = _bytes.AsSpan(at).IndexOf(WriteAheadFrame.Magic);
            if (found < 0) return;
            at += found;
            var isFrame = WriteAheadFrame.TryHead(_bytes.AsSpan(at), _salt, out var number, out _);
            if (!isFrame || number <= NextNumber) continue;
            var detail = $"Frame {NextNumber} should be there, and later ones follow.";
            throw LogRuntime.Damaged(_path, End, detail).AsException();
        }
    }

    private List<AheadBatch> Read()
    {
        var batches = new List<AheadBatch>();
        NextNumber = FirstNumber;
        while (WriteAheadFrame.TryHead(_bytes.AsSpan(End), _salt, out var number, out var size)
            && number == NextNumber && size <= _bytes.Length - End)
        {
            var frame = _bytes.AsMemory(End, (int)size);
            var found = WriteAheadFrame.Batches(frame);
            if (found.Count < WriteAheadFrame.Count(frame.Span)) break;
            batches.AddRange(found);
            End += (int)size;
            NextNumber++;
        }

        return batches;
    }
}
