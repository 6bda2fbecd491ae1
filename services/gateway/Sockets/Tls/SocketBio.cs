using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Millrace.Gateway.Sockets.Tls;

/// <summary>
/// Where OpenSSL reads and writes: the session that is at work on this thread. OpenSSL's own kind reads again when a
/// socket is empty already, reads as long as there is something, and knows no MSG_NOSIGNAL.
/// </summary>
internal static unsafe class SocketBio
{
    private const int SourceSink = 0x400, EndControl = 2, FlushControl = 11;
    private const int RetryRead = 0x1 | 0x8, RetryWrite = 0x2 | 0x8, Retries = 0xF;

    private static readonly nint Method = NewMethod();

    [ThreadStatic]
    private static TlsSession? _atWork;

    /// <summary>Whose calls of OpenSSL this thread makes now.</summary>
    public static TlsSession? AtWork { set => _atWork = value; }

    public static nint New() => OpenSsl.Checked(OpenSsl.NewBio(Method));

    private static nint NewMethod()
    {
        var method = OpenSsl.Checked(OpenSsl.NewBioMethod(OpenSsl.NewBioIndex() | SourceSink, "millrace"));
        _ = OpenSsl.SetBioRead(method, &Read);
        _ = OpenSsl.SetBioWrite(method, &Write);
        _ = OpenSsl.SetBioControl(method, &Control);
        return method;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(nint bio, byte* target, int count) =>
        Answer(bio, _atWork!.Supply(new Span<byte>(target, count)), RetryRead);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(nint bio, byte* bytes, int count) =>
        Answer(bio, _atWork!.Deliver(new ReadOnlySpan<byte>(bytes, count)), RetryWrite);

    private static int Answer(nint bio, int result, int retry)
    {
        OpenSsl.ClearBioFlags(bio, Retries);
        if (result == -Posix.TryAgain) OpenSsl.SetBioFlags(bio, retry);
        return Math.Max(result, -1);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Control(nint bio, int what, nint number, nint pointer) => what switch
    {
        EndControl => _atWork is { HasEnded: true } ? 1 : 0,
        FlushControl => 1,
        _ => 0,
    };
}
