using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Millrace.Cql;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests.Cql;

/// <summary>A real node that wants TLS and a password.</summary>
[Category("Faults")]
public class CassandraLoginTests
{
    private const string StorePassword = "only-for-this-test";

    [Test]
    public async Task A_node_that_wants_TLS_and_a_password_is_spoken_to_with_them_alone()
    {
        await using var set = await EngineSet.StartAsync("cassandra", 1);
        if (set is null) Assert.Ignore("Set MILLRACE_ENGINES to a command that starts Cassandra.");
        using var certificate = await SecureAsync(set!);
        var options = new CqlOptions
        {
            ContactPoints = [set!.Variables["CASSANDRA_CONTACT_POINTS"]],
            Port = int.Parse(set.Variables["CASSANDRA_PORT"]),
            Tls = _ => new SslClientAuthenticationOptions
            {
                TargetHost = "cassandra.test",
                RemoteCertificateValidationCallback = (_, given, _, _) =>
                    given?.GetCertHashString() == certificate.GetCertHashString(),
            },
            Username = "cassandra",
            Password = "cassandra",
        };

        // The first role is made some seconds after the node has started.
        CqlSession? session = null;
        await Eventually.TrueAsync(
            async () => (session = await TryConnectAsync(options)) is not null, "the login is taken",
            TimeSpan.FromSeconds(60));
        await using (session)
        {
            var row = (await session!.ExecuteAsync("SELECT cluster_name FROM system.local"))[0];
            Assert.That(row.Get<string>(0), Is.EqualTo("engines"));
        }

        options.Password = "guess";
        var refused = Assert.ThrowsAsync<CqlServerException>(() => CqlSession.ConnectAsync(options));
        Assert.That(refused!.ServerCode, Is.EqualTo(ServerErrorCode.BadCredentials));
        options.Tls = null;
        Assert.ThrowsAsync<CqlException>(() => CqlSession.ConnectAsync(options));
    }

    private static async Task<CqlSession?> TryConnectAsync(CqlOptions options)
    {
        try
        {
            return await CqlSession.ConnectAsync(options);
        }
        catch (CqlServerException e) when (e.ServerCode == ServerErrorCode.BadCredentials)
        {
            return null;
        }
    }

    /// <summary>Restarts the node with a certificate of its own and with its password authenticator.</summary>
    private static async Task<X509Certificate2> SecureAsync(EngineSet set)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(
            "CN=cassandra.test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        var store = set.PathOf(1, "store.p12");
        await File.WriteAllBytesAsync(store, certificate.Export(X509ContentType.Pkcs12, StorePassword));
        await set.KillAsync(1);
        await File.AppendAllTextAsync(set.PathOf(1, "cassandra.yaml"), $"""

            authenticator: PasswordAuthenticator
            client_encryption_options:
              enabled: true
              optional: false
              keystore: {store}
              keystore_password: {StorePassword}
              store_type: PKCS12
              require_client_auth: false

            """);
        await set.StartAsync(1);
        return certificate;
    }
}
