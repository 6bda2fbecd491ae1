using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Millrace.Gateway.Sockets;

/// <summary>
/// An epoll instance: which of many descriptors are ready. Events are kept as bytes, because the structure is packed
/// on x64 and nowhere else.
/// </summary>
internal sealed unsafe class Epoll : IDisposable
{
    public const uint In = 0x1, Out = 0x4, Error = 0x8, HangUp = 0x10, PeerClosed = 0x2000, EdgeTriggered = 1u << 31;

    private const int Add = 1, EventsMax = 512;

    private static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int EventBytes = IsPacked ? 12 : 16;
    private static readonly int DataOffset = IsPacked ? 4 : 8;

    private readonly int _descriptor = Checked(Posix.EpollCreate(Posix.CloseOnExec), "epoll_create1");
    private readonly byte* _events = (byte*)NativeMemory.AllocZeroed((nuint)(EventsMax * EventBytes));

    /// <summary>Watches a descriptor; false when the system has no room for it.</summary>
    public bool TryWatch(int descriptor, uint events)
    {
        Span<byte> change = stackalloc byte[EventBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(change, events);
        BinaryPrimitives.WriteInt32LittleEndian(change[DataOffset..], descriptor);
        fixed (byte* start = change) return Posix.EpollControl(_descriptor, Add, descriptor, start) == 0;
    }

    /// <summary>How many are ready, for <see cref="Ready"/>. A timeout of -1 is none.</summary>
    public int Wait(int timeoutMs)
    {
        var ready = Posix.EpollWait(_descriptor, _events, EventsMax, timeoutMs);
        return ready < 0 && Posix.Errno == Posix.Interrupted ? 0 : Checked(ready, "epoll_wait");
    }

    public (int Descriptor, uint Events) Ready(int index)
    {
        var one = new ReadOnlySpan<byte>(_events + (index * EventBytes), EventBytes);
        var descriptor = BinaryPrimitives.ReadInt32LittleEndian(one[DataOffset..]);
        return (descriptor, BinaryPrimitives.ReadUInt32LittleEndian(one));
    }

    public void Dispose()
    {
        _ = Posix.Close(_descriptor);
        NativeMemory.Free(_events);
    }

    public static int Checked(int result, string call) =>
        result >= 0 ? result : throw new Win32Exception(Posix.Errno, $"{call} failed");
}
