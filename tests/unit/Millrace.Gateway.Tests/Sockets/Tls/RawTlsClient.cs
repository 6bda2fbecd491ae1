using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.Gateway.Tests.Sockets.Tls;

/// <summary>OpenSSL as a client, for what SslStream does not do. Its calls block, but not for ever.</summary>
internal sealed unsafe partial class RawTlsClient : IDisposable
{
    private const string Library = "libssl.so.3";
    private const int VersionMinControl = 123, VersionMaxControl = 124;

    [ThreadStatic]
    private static List<string>? _secrets;

    private readonly nint _context;
    private readonly nint _ssl;
    private readonly List<string> _ownSecrets = [];
    private readonly bool _isTls13;

    /// <param name="version">0x303 is TLS 1.2, 0x304 1.3.</param>
    public RawTlsClient(Socket socket, int version, X509Certificate2? certificate = null, nint session = 0)
    {
        socket.Blocking = true;
        socket.ReceiveTimeout = 10_000;
        _context = NewContext(ClientMethod());
        Control(_context, VersionMinControl, version, 0);
        Control(_context, VersionMaxControl, version, 0);
        if (certificate is not null) Use(certificate);
        _isTls13 = version == 0x304;
        _ssl = New(_context);
        _ = SetDescriptor(_ssl, (int)socket.Handle);
        if (session != 0) _ = SetSession(_ssl, session);
    }

    public bool Connect() => Connect(_ssl) == 1;

    /// <summary>As <see cref="Connect()"/>; from then on the test writes, and this client only reads.</summary>
    public RecordWriter? ConnectToWrite()
    {
        var isSet = SetSuites(_ssl, "TLS_AES_128_GCM_SHA256") + SetCiphers(_ssl, "ECDHE-ECDSA-AES128-GCM-SHA256");
        if (isSet != 2) throw new InvalidOperationException("cipher");

        SetSecretsCallback(_context, &OnSecret);
        _secrets = _ownSecrets;
        var isConnected = Connect();
        _secrets = null;
        if (!isConnected) return null;
        var line = _ownSecrets.Select(line => line.Split(' ')).Single(
            words => words[0] == (_isTls13 ? "CLIENT_TRAFFIC_SECRET_0" : "CLIENT_RANDOM"));
        var secret = Convert.FromHexString(line[2]);
        if (_isTls13) return new RecordWriter(secret);
        var serverRandom = new byte[32];
        fixed (byte* start = serverRandom) _ = GetServerRandom(_ssl, start, (nuint)serverRandom.Length);
        return new RecordWriter(secret, Convert.FromHexString(line[1]), serverRandom);
    }

    public bool IsResumed => IsReused(_ssl) == 1;

    /// <summary>The server has said that nothing more comes.</summary>
    public bool IsToldEnd => (GetShutdown(_ssl) & 2) != 0;

    /// <summary>To be resumed by another client; the tickets of TLS 1.3 come with what is read first.</summary>
    public nint Session() => GetSession(_ssl);

    public int Send(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes) return Write(_ssl, start, bytes.Length);
    }

    public int Receive(Span<byte> target)
    {
        fixed (byte* start = target) return Read(_ssl, start, target.Length);
    }

    /// <summary>The keys change; the server is asked to change its own as well.</summary>
    public bool ChangeKeys() => UpdateKeys(_ssl, 1) == 1 && ShakeHands(_ssl) == 1;

    public bool Renegotiate() => Renegotiate(_ssl) == 1 && ShakeHands(_ssl) == 1;

    /// <summary>Without its farewell, OpenSSL would not have the session resumed.</summary>
    public void Dispose()
    {
        _ = Shutdown(_ssl);
        Free(_ssl);
        FreeContext(_context);
    }

    /// <summary>Later secrets, of changed keys, are not needed.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnSecret(nint ssl, byte* line) => _secrets?.Add(Marshal.PtrToStringUTF8((nint)line)!);

    private void Use(X509Certificate2 certificate)
    {
        var der = certificate.RawData;
        _ = UseCertificate(_context, der.Length, der);
        using var key = certificate.GetECDsaPrivateKey()!;
        var privateKey = key.ExportECPrivateKey();
        const int Ec = 408;
        if (UseKey(Ec, _context, privateKey, privateKey.Length) != 1) throw new InvalidOperationException("key");
    }

    [LibraryImport(Library, EntryPoint = "TLS_client_method")]
    private static partial nint ClientMethod();

    [LibraryImport(Library, EntryPoint = "SSL_CTX_new")]
    private static partial nint NewContext(nint method);

    [LibraryImport(Library, EntryPoint = "SSL_CTX_free")]
    private static partial void FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "SSL_CTX_ctrl")]
    private static partial nint Control(nint context, int what, nint number, nint pointer);

    [LibraryImport(Library, EntryPoint = "SSL_CTX_use_certificate_ASN1")]
    private static partial int UseCertificate(nint context, int length, byte[] der);

    [LibraryImport(Library, EntryPoint = "SSL_CTX_use_PrivateKey_ASN1")]
    private static partial int UseKey(int type, nint context, byte[] der, nint length);

    [LibraryImport(Library, EntryPoint = "SSL_new")]
    private static partial nint New(nint context);

    [LibraryImport(Library, EntryPoint = "SSL_CTX_set_keylog_callback")]
    private static partial void SetSecretsCallback(nint context, delegate* unmanaged[Cdecl]<nint, byte*, void> take);

    [LibraryImport(Library, EntryPoint = "SSL_set_ciphersuites", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetSuites(nint ssl, string names);

    [LibraryImport(Library, EntryPoint = "SSL_set_cipher_list", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetCiphers(nint ssl, string names);

    [LibraryImport(Library, EntryPoint = "SSL_get_server_random")]
    private static partial nuint GetServerRandom(nint ssl, byte* target, nuint count);

    [LibraryImport(Library, EntryPoint = "SSL_free")]
    private static partial void Free(nint ssl);

    [LibraryImport(Library, EntryPoint = "SSL_shutdown")]
    private static partial int Shutdown(nint ssl);

    [LibraryImport(Library, EntryPoint = "SSL_set_fd")]
    private static partial int SetDescriptor(nint ssl, int descriptor);

    [LibraryImport(Library, EntryPoint = "SSL_set_session")]
    private static partial int SetSession(nint ssl, nint session);

    [LibraryImport(Library, EntryPoint = "SSL_get1_session")]
    private static partial nint GetSession(nint ssl);

    [LibraryImport(Library, EntryPoint = "SSL_session_reused")]
    private static partial int IsReused(nint ssl);

    [LibraryImport(Library, EntryPoint = "SSL_get_shutdown")]
    private static partial int GetShutdown(nint ssl);

    [LibraryImport(Library, EntryPoint = "SSL_connect")]
    private static partial int Connect(nint ssl);

    [LibraryImport(Library, EntryPoint = "SSL_read")]
    private static partial int Read(nint ssl, byte* target, int count);

    [LibraryImport(Library, EntryPoint = "SSL_write")]
    private static partial int Write(nint ssl, byte* bytes, int count);

    [LibraryImport(Library, EntryPoint = "SSL_key_update")]
    private static partial int UpdateKeys(nint ssl, int type);

    [LibraryImport(Library, EntryPoint = "SSL_renegotiate")]
    private static partial int Renegotiate(nint ssl);

    [LibraryImport(Library, EntryPoint = "SSL_do_handshake")]
    private static partial int ShakeHands(nint ssl);
}
