using System.Runtime.InteropServices;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>What the load generator needs beside the calls that the gateway makes too.</summary>
internal static unsafe partial class Native
{
    private const int ThreadCpu = 3;

    /// <summary>The processor time that this thread has had, in seconds.</summary>
    public static double ThreadCpuSeconds()
    {
        var time = stackalloc long[2];
        _ = ClockGetTime(ThreadCpu, time);
        return time[0] + (time[1] / 1e9);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, long* time);
}

/// <summary>TLS for the load generator, without a stream and a task for each connection.</summary>
internal static unsafe partial class OpenSsl
{
    public const int WantRead = 2, WantWrite = 3;

    private static readonly nint Context = NewContext(TlsClientMethod());

    public static nint Attach(int socket)
    {
        var session = New(Context);
        _ = SetDescriptor(session, socket);
        return session;
    }

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_connect")]
    public static partial int Connect(nint session);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_get_error")]
    public static partial int Error(nint session, int result);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_read")]
    public static partial int Read(nint session, byte* target, int count);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_write")]
    public static partial int Write(nint session, byte* bytes, int count);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_free")]
    public static partial void Free(nint session);

    [LibraryImport("libssl.so.3", EntryPoint = "TLS_client_method")]
    private static partial nint TlsClientMethod();

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_CTX_new")]
    private static partial nint NewContext(nint method);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_new")]
    private static partial nint New(nint context);

    [LibraryImport("libssl.so.3", EntryPoint = "SSL_set_fd")]
    private static partial int SetDescriptor(nint session, int socket);
}
