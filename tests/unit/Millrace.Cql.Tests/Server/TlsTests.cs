using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.Cql.Tests.Server;

public class TlsTests
{
    [Test]
    public async Task Over_TLS_it_speaks_as_without_and_a_certificate_that_it_does_not_trust_is_refused()
    {
        using var certificate = SelfSigned();
        await using var server = new FakeServer((c, r) => c.VoidAsync(r))
        {
            Secure = async stream =>
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(certificate);
                return tls;
            },
        };

        await using (var session = await server.ConnectAsync(o => o.Tls = _ => Trusting(certificate)))
            Assert.That((await session.ExecuteAsync("SELECT 1")).Count, Is.Zero);

        var refused = Assert.ThrowsAsync<CqlException>(() => server.ConnectAsync(
            o => o.Tls = node => new SslClientAuthenticationOptions { TargetHost = node.Address.ToString() }));
        Assert.That(refused!.Code, Is.EqualTo("CQ-9002"));
    }

    [TestCase(SslProtocols.Tls12)]
    [TestCase(SslProtocols.Tls13)]
    public async Task A_node_that_asks_for_a_certificate_and_gets_none_is_told_as_that(SslProtocols version)
    {
        using var certificate = SelfSigned();
        await using var server = new FakeServer((c, r) => c.VoidAsync(r))
        {
            Secure = async stream =>
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificate = certificate,
                    ClientCertificateRequired = true,
                    EnabledSslProtocols = version,
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
                });
                return tls;
            },
        };

        var refused = Assert.ThrowsAsync<CqlException>(
            () => server.ConnectAsync(o => o.Tls = _ => Trusting(certificate)));
        Assert.That(refused!.Code, Is.EqualTo("CQ-9002"));
        Assert.That(refused.Error.Detail, Does.Contain("certificate"));
    }

    private static SslClientAuthenticationOptions Trusting(X509Certificate2 trusted) => new()
    {
        TargetHost = "cassandra.test",
        RemoteCertificateValidationCallback = (_, given, _, _) =>
            given?.GetCertHashString() == trusted.GetCertHashString(),
    };

    private static X509Certificate2 SelfSigned()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(
            "CN=cassandra.test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
