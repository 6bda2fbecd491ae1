using System.Globalization;

namespace Millrace.TestKit.Servers;

/// <summary>
/// One node of the engines command that speaks TLS alone, wants a certificate of its authority from clients, and a
/// login.
/// </summary>
public sealed class SecureCassandra : IAsyncDisposable
{
    /// <summary>The name that the node's certificate is for.</summary>
    public const string ServerName = "cassandra.test";

    public const string UserName = "cassandra", Password = "cassandra";

    // The role is made when the node starts, and not ten seconds later.
    private const string RoleAtOnce = "-Dcassandra.superuser_setup_delay_ms=0";

    private readonly EngineSet _set;
    private readonly TemporaryFolder _folder = new();

    private SecureCassandra(EngineSet set) => _set = set;

    public string ContactPoints => _set.Variables["CASSANDRA_CONTACT_POINTS"];

    public int Port => int.Parse(_set.Variables["CASSANDRA_PORT"], CultureInfo.InvariantCulture);

    public string CaFile => _folder.Sub("ca.pem");

    public string CertificateFile => _folder.Sub("client.pem");

    public string KeyFile => _folder.Sub("client.key");

    public string PasswordFile => _folder.Sub("password");

    /// <summary>Null without the engines command: only its nodes can be set up so.</summary>
    public static async Task<SecureCassandra?> StartAsync()
    {
        var set = await EngineSet.StartAsync("cassandra", 1, more: ("JAVA_TOOL_OPTIONS", RoleAtOnce));
        if (set is null) return null;
        var node = new SecureCassandra(set);
        try
        {
            await set.KillAsync(1);
            node.WriteFiles();
            await File.AppendAllTextAsync(set.PathOf(1, "cassandra.yaml"), node.Settings());
            await set.StartAsync(1);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _set.DisposeAsync();
        _folder.Dispose();
    }

    private string Settings() => $"""

        authenticator: PasswordAuthenticator
        client_encryption_options:
          enabled: true
          optional: false
          require_client_auth: true
          ssl_context_factory:
            class_name: org.apache.cassandra.security.PEMBasedSslContextFactory
          keystore: {_folder.Sub("node.pem")}
          keystore_password: ""
          truststore: {CaFile}
          truststore_password: ""

        """;

    private void WriteFiles()
    {
        using var authority = new TestAuthority();
        var (certificate, key) = authority.Sign(ServerName);
        File.WriteAllText(CaFile, authority.Pem);
        File.WriteAllText(_folder.Sub("node.pem"), $"{key}\n{certificate}\n");
        (certificate, key) = authority.Sign("client");
        File.WriteAllText(CertificateFile, certificate);
        File.WriteAllText(KeyFile, key);
        File.WriteAllText(PasswordFile, Password + "\n");
    }
}
