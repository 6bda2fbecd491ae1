using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.Stores.Cassandra.Connection;

/// <summary>What the files of Cassandra:Security say.</summary>
internal static class CassandraTls
{
    public static string? Password(CassandraSecurityOptions options) => options.PasswordFile is null
        ? null
        : File.ReadAllText(options.PasswordFile).TrimEnd('\r', '\n');

    /// <summary>Null without TLS.</summary>
    public static Func<IPEndPoint, SslClientAuthenticationOptions>? Of(CassandraSecurityOptions options)
    {
        if (!options.Tls) return null;
        var own = options.CertificateFile is null
            ? null
            : X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile);
        var authorities = options.CaFile is null ? [] : Authorities(options.CaFile);
        return node => new SslClientAuthenticationOptions
        {
            TargetHost = options.ServerName ?? node.Address.ToString(),
            ClientCertificates = own is null ? null : [own],
            CertificateChainPolicy = authorities.Count == 0 ? null : Trusting(authorities),
        };
    }

    /// <summary>One at least: without any, the system's would be trusted instead.</summary>
    private static X509Certificate2Collection Authorities(string file)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities.Count > 0
            ? authorities
            : throw new CryptographicException($"{file} has no certificate in PEM.");
    }

    private static X509ChainPolicy Trusting(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }
}
