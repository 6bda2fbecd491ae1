using System.Text;

namespace Millrace.Saql.Values;

/// <summary>
/// Where text made by functions lives: a buffer that is wound back after each row, so that nothing is allocated in the
/// steady state. Values keep the array that they were made in, so growing does not disturb them.
/// </summary>
internal sealed class TextArena
{
    private byte[] _bytes = new byte[4096];
    private readonly char[][] _chars = [new char[1024], [], []];

    private bool _hasUnfit;

    public int Used { get; private set; }

    public int Capacity => _bytes.Length;

    /// <summary>A number was read that is no value of the language: whoever asked for it has to look.</summary>
    public void MeetUnfit() => _hasUnfit = true;

    /// <summary>Whether such a number was read since the last call.</summary>
    public bool TakeUnfit()
    {
        var had = _hasUnfit;
        _hasUnfit = false;
        return had;
    }

    public void WindBack(int used) => Used = used;

    /// <summary>A value of what was written to the start of the array that <see cref="Reserve"/> gave.</summary>
    public Value Commit(ValueKind kind, int length)
    {
        var value = Value.Slice(kind, _bytes, Used, length);
        Used += length;
        return value;
    }

    /// <summary>Room for this many bytes, until the next call.</summary>
    public Span<byte> Reserve(int count)
    {
        if (_bytes.Length - Used < count)
        {
            _bytes = new byte[Math.Max(_bytes.Length * 2, count)];
            Used = 0;
        }

        return _bytes.AsSpan(Used);
    }

    public Value Add(ReadOnlySpan<char> text)
    {
        var written = Encoding.UTF8.GetBytes(text, Reserve(Encoding.UTF8.GetMaxByteCount(text.Length)));
        return Commit(ValueKind.Text, written);
    }

    public Value Add(ReadOnlySpan<byte> utf8, ValueKind kind = ValueKind.Text)
    {
        utf8.CopyTo(Reserve(utf8.Length));
        return Commit(kind, utf8.Length);
    }

    /// <summary>The text as characters; good until the slot is asked for again.</summary>
    public ReadOnlySpan<char> Characters(in Value text, int slot = 0)
    {
        var utf8 = text.Utf8;
        var room = Room(utf8.Length, slot);
        return room[..Encoding.UTF8.GetChars(utf8, room)];
    }

    /// <summary>Scratch characters, of slot 0, 1 or 2.</summary>
    public Span<char> Room(int count, int slot)
    {
        if (_chars[slot].Length < count) _chars[slot] = new char[Math.Max(count, _chars[slot].Length * 2)];
        return _chars[slot];
    }
}
