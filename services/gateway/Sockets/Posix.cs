using System.Net;
using System.Runtime.InteropServices;

namespace Millrace.Gateway.Sockets;

/// <summary>The system calls of Linux that the loops make. What fails gives -1 and leaves its cause in errno.</summary>
internal static unsafe partial class Posix
{
    public const int TryAgain = 11, Interrupted = 4, ManyFilesHere = 24, ManyFiles = 23, NoMemory = 12;
    public const int NoBuffers = 105, BrokenPipe = 32;
    public const int CloseOnExec = 0x80000;
    public const int NonBlocking = 0x800;
    public const int NoSignal = 0x4000;
    public const int ShutdownWrite = 1, ShutdownBoth = 2;

    private const int SocketNameBytes = 128, InternetFamily = 2, InternetFamily6 = 10;
    private const int SocketLevel = 1, LingerOption = 13, TcpLevel = 6, NoDelayOption = 1;

    private const int OutQueueRequest = 0x5411;

    public static int Errno => Marshal.GetLastPInvokeError();

    /// <summary>Answers are small and are written whole: nothing is gained by holding them back.</summary>
    public static void SendAtOnce(int socket)
    {
        var on = 1;
        _ = SetSockOpt(socket, TcpLevel, NoDelayOption, &on, sizeof(int));
    }

    /// <summary>Closing will drop what was not sent, and reset the connection.</summary>
    public static void ResetAtClose(int socket)
    {
        var linger = stackalloc int[2] { 1, 0 };
        _ = SetSockOpt(socket, SocketLevel, LingerOption, linger, 2 * sizeof(int));
    }

    /// <summary>How many bytes came, 0 at the end; or an error, negated.</summary>
    public static int Receive(int socket, Span<byte> target)
    {
        fixed (byte* start = target) return OrError(Recv(socket, start, (nuint)target.Length, 0));
    }

    /// <summary>How many bytes the socket took; or an error, negated.</summary>
    public static int Send(int socket, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes) return OrError(Send(socket, start, (nuint)bytes.Length, NoSignal));
    }

    private static int OrError(nint result) => result < 0 ? -Errno : (int)result;

    /// <summary>Bytes that the socket has taken, and the peer has not acknowledged.</summary>
    public static int OutQueue(int socket)
    {
        var bytes = 0;
        return Control(socket, OutQueueRequest, &bytes) < 0 ? 0 : bytes;
    }

    /// <summary>The next connection, non-blocking, and where it comes from.</summary>
    public static int Accept(int listener, out IPAddress? address)
    {
        const int PortBytes = 4, FlowBytes = 4;
        var name = stackalloc byte[SocketNameBytes];
        var length = (uint)SocketNameBytes;
        var descriptor = Accept(listener, name, &length, NonBlocking | CloseOnExec);
        address = descriptor < 0 ? null : *(ushort*)name switch
        {
            InternetFamily => new IPAddress(new ReadOnlySpan<byte>(name + PortBytes, 4)),
            InternetFamily6 => new IPAddress(new ReadOnlySpan<byte>(name + PortBytes + FlowBytes, 16)),
            _ => null,
        };
        return descriptor;
    }

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    private static partial int Accept(int listener, byte* name, uint* length, int flags);

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    public static partial int Shutdown(int socket, int how);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint count, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, void* bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, void* bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, int descriptor, void* change);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, void* events, int eventsMax, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Recv(int socket, byte* target, nuint count, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int socket, byte* bytes, nuint count, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int descriptor, nuint request, void* value);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetSockOpt(int socket, int level, int option, void* value, int size);
}
