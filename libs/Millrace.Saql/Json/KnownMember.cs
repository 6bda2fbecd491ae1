using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Millrace.Saql.Json;

/// <summary>
/// A member that was met: its name with the quotes and the colon, and the blanks there were behind it. Telemetry of a
/// fleet has the same members in the same order, and one comparison tells that it is this one again.
/// </summary>
internal readonly struct KnownMember
{
    /// <summary>Bytes that one comparison takes.</summary>
    public static readonly int LengthMax = Vector256<byte>.Count;

    /// <summary>Members of an object that are remembered.</summary>
    public const int CountMax = 64;

    private readonly Vector256<byte> _written;
    private readonly Vector256<byte> _mask;

    public KnownMember(ReadOnlySpan<byte> written, ReadField? field, bool isExact)
    {
        Span<byte> room = stackalloc byte[LengthMax];
        room.Clear();
        written.CopyTo(room);
        _written = Vector256.Create((ReadOnlySpan<byte>)room);
        room[..written.Length].Fill(0xFF);
        _mask = Vector256.Create((ReadOnlySpan<byte>)room);
        Length = written.Length;
        Field = field;
        IsExact = isExact;
    }

    public int Length { get; }

    /// <summary>The field that is read of it; null when it is skipped.</summary>
    public ReadField? Field { get; }

    public bool IsExact { get; }

    /// <summary>Whether it is what stands at an index of the array, with this many bytes left of the text.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsAt(byte[] array, int at, int left)
    {
        if (Length == 0 || left < Length || array.Length - at < LengthMax) return false;
        var text = Vector256.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(array), (uint)at);
        return (text & _mask) == _written;
    }
}
