namespace Millrace.EventLog.Tests.Disk;

/// <summary>Bytes that come at a position; without bytes, the length that the file gets.</summary>
internal sealed record FileChange(long Position, byte[]? Bytes)
{
    public byte[] ApplyTo(byte[] content)
    {
        var length = Bytes is null ? Position : Math.Max(content.Length, Position + Bytes.Length);
        Array.Resize(ref content, (int)length);
        Bytes?.CopyTo(content, Position);
        return content;
    }

    /// <summary>A part of it: its beginning, or its end alone, up to or from any byte.</summary>
    public FileChange Torn(Random random)
    {
        if (Bytes is null || Bytes.Length == 0) return this;
        var cut = random.Next(Bytes.Length);
        return random.Next(3) == 0
            ? new FileChange(Position + cut, Bytes[cut..])
            : new FileChange(Position, Bytes[..cut]);
    }
}

/// <summary>A file's content, as read and as durable.</summary>
internal sealed class Node(Random random)
{
    private readonly List<FileChange> _unsynced = [];
    private byte[] _durable = [];
    private byte[] _seen = [];

    public byte[] Read() => _seen;

    public void Do(FileChange change)
    {
        _seen = change.ApplyTo((byte[])_seen.Clone());
        _unsynced.Add(change);
    }

    public void Sync()
    {
        foreach (var change in _unsynced) _durable = change.ApplyTo(_durable);
        _unsynced.Clear();
    }

    /// <summary>Some of what was to be written is on the disk now, and the system has forgotten the rest.</summary>
    public void FailSync()
    {
        _durable = SomeOfTheRest();
        _unsynced.Clear();
    }

    public Node AfterPowerLoss()
    {
        var content = SomeOfTheRest();
        return new Node(random) { _durable = content, _seen = (byte[])content.Clone() };
    }

    public void Corrupt(Action<byte[]> change)
    {
        change(_seen);
        if (_durable.Length == _seen.Length) change(_durable);
    }

    private byte[] SomeOfTheRest()
    {
        var content = (byte[])_durable.Clone();
        foreach (var change in _unsynced)
        {
            var fate = random.Next(3);
            if (fate == 0) content = change.ApplyTo(content);
            if (fate == 1) content = change.Torn(random).ApplyTo(content);
        }

        return content;
    }
}
