using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.Cql.Tests.Server;

/// <summary>Both ends of TLS, with a certificate that signs itself.</summary>
internal static class FakeTls
{
    public static X509Certificate2 Certificate { get; } = SelfSigned();

    /// <summary>Trusts that certificate alone.</summary>
    public static SslClientAuthenticationOptions Client => new()
    {
        TargetHost = "cassandra.test",
        RemoteCertificateValidationCallback = (_, given, _, _) =>
            given?.GetCertHashString() == Certificate.GetCertHashString(),
    };

    public static async Task<Stream> ServeAsync(Stream stream)
    {
        var tls = new SslStream(stream);
        await tls.AuthenticateAsServerAsync(Certificate);
        return tls;
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(
            "CN=cassandra.test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
