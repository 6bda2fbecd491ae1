using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Millrace.Gateway.Sockets.Tls;

/// <summary>
/// What the loops call of OpenSSL 3. Each thread has a queue of errors, which is to be empty before a call whose result
/// is asked about.
/// </summary>
internal static unsafe partial class OpenSsl
{
    public const int WantRead = 2, ZeroReturn = 6;

    private const string Ssl = "libssl.so.3", Crypto = "libcrypto.so.3";
    private const int ErrorTextBytes = 256;

    /// <summary>Its own end of the process would take away what our threads still use.</summary>
    private const ulong NoAtExit = 0x80000;

    /// <summary>Whether this system has it.</summary>
    public static bool IsThere { get; } = OperatingSystem.IsLinux()
        && NativeLibrary.TryLoad(Crypto, out _) && NativeLibrary.TryLoad(Ssl, out _) && Init(NoAtExit, null) == 1;

    /// <summary>What went wrong last on this thread; empties its queue.</summary>
    public static string TakeError()
    {
        var error = PeekLastError();
        ClearErrors();
        if (error == 0) return "no cause is known";
        var text = stackalloc byte[ErrorTextBytes];
        ErrorText(error, text, ErrorTextBytes);
        return Marshal.PtrToStringUTF8((nint)text)!;
    }

    public static T Checked<T>(T result) where T : unmanaged, IEquatable<T> =>
        result.Equals(default) ? throw new CryptographicException(TakeError()) : result;

    [LibraryImport(Ssl, EntryPoint = "OPENSSL_init_ssl")]
    private static partial int Init(ulong options, void* settings);

    [LibraryImport(Crypto, EntryPoint = "ERR_clear_error"), SuppressGCTransition]
    public static partial void ClearErrors();

    [LibraryImport(Crypto, EntryPoint = "ERR_peek_last_error")]
    private static partial nuint PeekLastError();

    [LibraryImport(Crypto, EntryPoint = "ERR_error_string_n")]
    private static partial void ErrorText(nuint error, byte* text, nuint size);

    [LibraryImport(Ssl, EntryPoint = "TLS_server_method")]
    public static partial nint ServerMethod();

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_new")]
    public static partial nint NewContext(nint method);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_free")]
    public static partial void FreeContext(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_ctrl")]
    public static partial nint Control(SslContextHandle context, int what, nint number, nint pointer);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_options")]
    public static partial ulong SetOptions(SslContextHandle context, ulong options);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_get_ciphers")]
    public static partial nint Ciphers(SslContextHandle context);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_cipher_list", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetCiphers(SslContextHandle context, string names);

    [LibraryImport(Ssl, EntryPoint = "SSL_CIPHER_get_name")]
    public static partial byte* CipherName(nint cipher);

    [LibraryImport(Crypto, EntryPoint = "OPENSSL_sk_num")]
    public static partial int Count(nint stack);

    [LibraryImport(Crypto, EntryPoint = "OPENSSL_sk_value")]
    public static partial nint Value(nint stack, int index);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_session_id_context")]
    public static partial int SetSessionContext(SslContextHandle context, byte[] id, uint length);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_num_tickets")]
    public static partial int SetTickets(SslContextHandle context, nuint count);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_verify")]
    public static partial void SetVerify(SslContextHandle context, int mode, nint callback);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_cert_verify_callback")]
    public static partial void SetCertificateCheck(
        SslContextHandle context, delegate* unmanaged[Cdecl]<nint, nint, int> check, nint argument);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_use_certificate_ASN1")]
    public static partial int UseCertificate(SslContextHandle context, int length, byte[] der);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_use_PrivateKey")]
    public static partial int UseKey(SslContextHandle context, nint key);

    [LibraryImport(Crypto, EntryPoint = "d2i_AutoPrivateKey")]
    public static partial nint ReadKey(nint target, byte** der, nint length);

    [LibraryImport(Crypto, EntryPoint = "EVP_PKEY_free")]
    public static partial void FreeKey(nint key);

    [LibraryImport(Crypto, EntryPoint = "d2i_X509")]
    public static partial nint ReadCertificate(nint target, byte** der, nint length);

    [LibraryImport(Crypto, EntryPoint = "i2d_X509")]
    public static partial int WriteCertificate(nint certificate, byte** der);

    [LibraryImport(Crypto, EntryPoint = "X509_free")]
    public static partial void FreeCertificate(nint certificate);

    [LibraryImport(Ssl, EntryPoint = "SSL_new")]
    public static partial nint New(SslContextHandle context);

    [LibraryImport(Ssl, EntryPoint = "SSL_free")]
    public static partial void Free(nint ssl);

    /// <summary>Both sides of the connection; takes the reference over.</summary>
    [LibraryImport(Ssl, EntryPoint = "SSL_set_bio")]
    public static partial void SetBio(SslHandle ssl, nint reads, nint writes);

    /// <summary>Goes on with the handshake, or with a change of keys; 1 when none is under way.</summary>
    [LibraryImport(Ssl, EntryPoint = "SSL_accept")]
    public static partial int Accept(SslHandle ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_read")]
    public static partial int Read(nint ssl, byte* target, int count);

    [LibraryImport(Ssl, EntryPoint = "SSL_write")]
    public static partial int Write(nint ssl, byte* bytes, int count);

    [LibraryImport(Ssl, EntryPoint = "SSL_has_pending"), SuppressGCTransition]
    public static partial int HasPending(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_error"), SuppressGCTransition]
    public static partial int GetError(nint ssl, int result);

    [LibraryImport(Ssl, EntryPoint = "SSL_shutdown")]
    public static partial int Shutdown(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get1_peer_certificate")]
    public static partial nint PeerCertificate(SslHandle ssl);

    [LibraryImport(Crypto, EntryPoint = "BIO_get_new_index")]
    public static partial int NewBioIndex();

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_new", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint NewBioMethod(int type, string name);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_read")]
    public static partial int SetBioRead(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> read);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_write")]
    public static partial int SetBioWrite(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> write);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_ctrl")]
    public static partial int SetBioControl(
        nint method, delegate* unmanaged[Cdecl]<nint, int, nint, nint, nint> control);

    [LibraryImport(Crypto, EntryPoint = "BIO_new")]
    public static partial nint NewBio(nint method);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_flags"), SuppressGCTransition]
    public static partial void SetBioFlags(nint bio, int flags);

    [LibraryImport(Crypto, EntryPoint = "BIO_clear_flags"), SuppressGCTransition]
    public static partial void ClearBioFlags(nint bio, int flags);
}

/// <summary>Counted by OpenSSL: a connection keeps the context that it was opened with.</summary>
internal sealed class SslContextHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public SslContextHandle() : base(ownsHandle: true) =>
        SetHandle(OpenSsl.Checked(OpenSsl.NewContext(OpenSsl.ServerMethod())));

    protected override bool ReleaseHandle()
    {
        OpenSsl.FreeContext(handle);
        return true;
    }
}

internal sealed class SslHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private static int _open;

    public SslHandle(SslContextHandle context) : base(ownsHandle: true)
    {
        SetHandle(OpenSsl.Checked(OpenSsl.New(context)));
        Interlocked.Increment(ref _open);
    }

    /// <summary>How many there are in this process.</summary>
    public static int Open => Volatile.Read(ref _open);

    protected override bool ReleaseHandle()
    {
        OpenSsl.Free(handle);
        Interlocked.Decrement(ref _open);
        return true;
    }
}
