using System.Buffers.Binary;
using System.Security.Cryptography;
using Millrace.EventLog.Disk;

namespace Millrace.EventLog.Local.WriteAhead;

/// <summary>
/// One of the two files of the write-ahead log, of a fixed size: while one takes frames, the segments that the other
/// covers are made durable, and then it is used again.
/// </summary>
internal sealed class WriteAheadFile(ILogDisk disk, string path, int bytes)
{
    private const int ZeroBytes = 64 << 10;
    private static readonly byte[] Zeros = new byte[ZeroBytes];

    private ILogFile? _file;
    private int? _end;

    /// <summary>Segments that have bytes of which only this file is sure.</summary>
    public HashSet<Segment> Covered { get; } = [];

    /// <summary>What its frames carry, to tell them from those of its earlier uses.</summary>
    public ulong Salt { get; private set; }

    /// <summary>The number of the next frame.</summary>
    public long NextNumber { get; private set; }

    public bool HasRoom(int count) => _end is { } end && count <= bytes - end;

    /// <summary>Uses it from its beginning on; nothing that it had is needed any more.</summary>
    public void Begin(long firstNumber)
    {
        Span<byte> random = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(random);
        var salt = BinaryPrimitives.ReadUInt64LittleEndian(random);
        Span<byte> head = stackalloc byte[WriteAheadContent.HeadBytes];
        WriteAheadContent.WriteHead(head, firstNumber, salt);
        _end = null;
        try
        {
            _file ??= Make();
            _file.Write(head, 0);
            _file.Sync();
        }
        catch
        {
            LetGo();
            throw;
        }

        (Salt, NextNumber, _end) = (salt, firstNumber, head.Length);
    }

    /// <summary>Durable when this returns.</summary>
    public void Append(ReadOnlySpan<byte> frame)
    {
        try
        {
            _file!.Write(frame, _end!.Value);
            _file.Sync();
            _end += frame.Length;
            NextNumber++;
        }
        catch
        {
            LetGo();
            throw;
        }
    }

    /// <summary>The batches of all frames that are durable.</summary>
    public List<AheadBatch> ReadAll()
    {
        var content = WriteAheadContent.Read(disk, path);
        if (content is not null && content.NextNumber >= NextNumber) return content.Batches;
        throw new IOException($"{path} does not have frame {content?.NextNumber}, which it had.");
    }

    public void Delete()
    {
        LetGo();
        disk.Delete(path);
    }

    /// <summary>Zeros are written ahead: so no frame changes the file's length or blocks.</summary>
    private ILogFile Make()
    {
        disk.Delete(path);
        var file = disk.Create(path);
        try
        {
            for (var at = 0; at < bytes; at += ZeroBytes)
                file.Write(Zeros.AsSpan(0, Math.Min(ZeroBytes, bytes - at)), at);
            file.Sync();
            disk.SyncFolder(Path.GetDirectoryName(path)!);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Nobody knows what it has now: the next use makes a new one.</summary>
    private void LetGo()
    {
        _end = null;
        _file?.Dispose();
        _file = null;
    }
}
