using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Millrace.Gateway.Listeners;

namespace Millrace.Gateway.Sockets.Tls;

/// <summary>
/// A certificate, and how TLS is spoken with it. Sessions are resumed by tickets, so that a device that comes again
/// costs no signature and the gateway keeps nothing of one that is gone; a ticket holds the device's certificate, which
/// each login looks at. The tickets' key is the context's own, so no context is to be used for long.
/// </summary>
internal sealed unsafe class TlsContext
{
    private const ulong NoCompression = 1 << 17, ServerPreference = 1 << 22, NoRenegotiation = 1 << 30;

    /// <summary>An end without a farewell is an end: MQTT has its own.</summary>
    private const ulong IgnoreUnexpectedEnd = 1 << 7;

    private const int ReleaseBuffers = 0x10;
    private const int ModeControl = 33, ReadAheadControl = 41, SessionCacheControl = 44, VersionMinControl = 123;
    private const int ExtraCertificateControl = 14;
    private const int Tls12 = 0x303, Tls13 = 0x304;
    private const int VerifyPeer = 1;

    private readonly SslContextHandle _context = new();
    private readonly int _unsentBytesMax;
    private readonly GatewayMetrics _metrics;

    /// <summary>A CryptographicException when OpenSSL does not take the certificate.</summary>
    public TlsContext(SslStreamCertificateContext certificate, TlsListenerOptions options, GatewayMetrics metrics)
    {
        (_unsentBytesMax, _metrics) = ((int)options.UnsentBytesMax.Bytes, metrics);
        OpenSsl.ClearErrors();
        OpenSsl.SetOptions(_context, NoCompression | ServerPreference | NoRenegotiation | IgnoreUnexpectedEnd);
        Set(ModeControl, ReleaseBuffers);
        Set(ReadAheadControl, 1);
        Set(SessionCacheControl, 0);
        Set(VersionMinControl, options.TlsMin == SslProtocols.Tls13 ? Tls13 : Tls12);
        OpenSsl.Checked(OpenSsl.SetTickets(_context, 1));
        KeepForwardSecrecy();
        if (options.ClientCertificates) AskForCertificates();
        Use(certificate);
    }

    public TlsSession Open(int descriptor) => new(_context, descriptor, _unsentBytesMax, _metrics);

    private void Set(int what, int number) => _ = OpenSsl.Control(_context, what, number, 0);

    /// <summary>Of what the system's policy lets in, what SslStream would speak in TLS 1.2.</summary>
    private void KeepForwardSecrecy()
    {
        var all = OpenSsl.Ciphers(_context);
        var names = Enumerable.Range(0, OpenSsl.Count(all)).Select(index => NameOf(OpenSsl.Value(all, index)))
            .Where(name => name.StartsWith("ECDHE-", StringComparison.Ordinal) && !name.EndsWith("-SHA"));
        if (string.Join(':', names) is { Length: > 0 } list) OpenSsl.Checked(OpenSsl.SetCiphers(_context, list));
    }

    private static string NameOf(nint cipher) => Marshal.PtrToStringUTF8((nint)OpenSsl.CipherName(cipher))!;

    /// <summary>
    /// Devices are known by their certificate's thumbprint, whoever signed it: the login compares it. Without the name
    /// of a context for sessions, OpenSSL would refuse those that are resumed.
    /// </summary>
    private void AskForCertificates()
    {
        var name = "millrace"u8.ToArray();
        OpenSsl.Checked(OpenSsl.SetSessionContext(_context, name, (uint)name.Length));
        OpenSsl.SetVerify(_context, VerifyPeer, 0);
        OpenSsl.SetCertificateCheck(_context, &TakeAny, 0);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int TakeAny(nint store, nint argument) => 1;

    private void Use(SslStreamCertificateContext certificate)
    {
        var own = certificate.TargetCertificate.RawData;
        OpenSsl.Checked(OpenSsl.UseCertificate(_context, own.Length, own));
        foreach (var other in certificate.IntermediateCertificates) Add(other.RawData);
        UseKey(KeyOf(certificate.TargetCertificate));
    }

    private void Add(byte[] der)
    {
        fixed (byte* start = der)
        {
            var next = start;
            var certificate = OpenSsl.Checked(OpenSsl.ReadCertificate(0, &next, der.Length));
            if (OpenSsl.Control(_context, ExtraCertificateControl, 0, certificate) == 1) return;
            OpenSsl.FreeCertificate(certificate);
            throw new CryptographicException(OpenSsl.TakeError());
        }
    }

    private static byte[] KeyOf(X509Certificate2 certificate)
    {
        using var key = (AsymmetricAlgorithm?)certificate.GetRSAPrivateKey() ?? certificate.GetECDsaPrivateKey();
        return key?.ExportPkcs8PrivateKey() ?? throw new CryptographicException("The key is neither RSA nor ECDSA.");
    }

    private void UseKey(byte[] der)
    {
        fixed (byte* start = der)
        {
            var next = start;
            var key = OpenSsl.ReadKey(0, &next, der.Length);
            CryptographicOperations.ZeroMemory(der);
            var isUsed = OpenSsl.UseKey(_context, OpenSsl.Checked(key));
            OpenSsl.FreeKey(key);
            OpenSsl.Checked(isUsed);
        }
    }
}
