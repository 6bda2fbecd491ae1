using System.Net;

namespace Millrace.TestKit.Servers;

/// <summary>
/// One broker of the engines command with a listener that takes TLS with SASL (SCRAM and PLAIN, for one user), and one
/// that takes TLS with a certificate of the client's.
/// </summary>
public sealed class SecureKafka : IAsyncDisposable
{
    public const string UserName = "millrace", Password = "open sesame";
    private readonly EngineSet _set;
    private readonly TemporaryFolder _folder = new();

    private SecureKafka(EngineSet set) => _set = set;

    /// <summary>Without encryption, for what has to be made ready.</summary>
    public string PlainServers => _set.Variables["KAFKA_BOOTSTRAP_SERVERS"];

    public string SecureServers { get; private set; } = "";

    /// <summary>The listener that wants a certificate.</summary>
    public string CertifiedServers { get; private set; } = "";

    public string CaFile => _folder.Sub("ca.pem");

    /// <summary>Of a client that the broker's authority vouches for.</summary>
    public string CertificateFile => _folder.Sub("client.pem");

    public string KeyFile => _folder.Sub("client.key");

    public string PasswordFile => _folder.Sub("password");

    /// <summary>Null without the engines command: only its brokers can be set up so.</summary>
    /// <param name="prepare">Makes the user, by the plain servers.</param>
    public static async Task<SecureKafka?> StartAsync(Func<string, Task> prepare)
    {
        if (await EngineSet.StartAsync("kafka", 1) is not { } set) return null;
        var kafka = new SecureKafka(set);
        try
        {
            await prepare(kafka.PlainServers);
            await set.KillAsync(1);
            kafka.WriteFiles();
            await File.AppendAllTextAsync(set.PathOf(1, "server.properties"), kafka.Settings());
            await set.StartAsync(1);
            return kafka;
        }
        catch
        {
            await kafka.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _set.DisposeAsync();
        _folder.Dispose();
    }

    private string Settings()
    {
        var plain = IPEndPoint.Parse(PlainServers);
        var (secure, certified) = (plain.Port + 20, plain.Port + 21);
        (SecureServers, CertifiedServers) = ($"localhost:{secure}", $"localhost:{certified}");
        var listeners = $"PLAINTEXT://{plain},CONTROLLER://127.0.0.1:{plain.Port + 1},SASL_SSL://127.0.0.1:{secure},"
            + $"SSL://127.0.0.1:{certified}";
        const string modules = "org.apache.kafka.common.security";
        return $"""
            listeners={listeners}
            advertised.listeners=PLAINTEXT://{plain},SASL_SSL://{SecureServers},SSL://{CertifiedServers}
            listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
            sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN
            listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={modules}.scram.ScramLoginModule required;
            listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;
            listener.name.sasl_ssl.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required \
              user_{UserName}="{Password}";
            ssl.keystore.type=PEM
            ssl.keystore.location={_folder.Sub("broker.pem")}
            listener.name.ssl.ssl.client.auth=required
            listener.name.ssl.ssl.truststore.type=PEM
            listener.name.ssl.ssl.truststore.location={CaFile}

            """;
    }

    private void WriteFiles()
    {
        using var authority = new TestAuthority();
        var (certificate, key) = authority.Sign("localhost");
        var client = authority.Sign("client");
        File.WriteAllText(CaFile, authority.Pem);
        File.WriteAllText(CertificateFile, client.Certificate);
        File.WriteAllText(KeyFile, client.Key);
        File.WriteAllText(_folder.Sub("broker.pem"), $"{key}\n{certificate}\n");
        File.WriteAllText(PasswordFile, Password + "\n");
    }
}
