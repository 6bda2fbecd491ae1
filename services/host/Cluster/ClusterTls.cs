using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Akka.Remote.Transport.DotNetty;

namespace Millrace.Cluster;

/// <summary>Members show each other certificates of the cluster's authority. Section "Cluster:Tls".</summary>
public sealed class ClusterTlsOptions
{
    /// <summary>This member's certificate, in PEM; it serves and asks. Without it members show nothing.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>The key of the certificate, in PEM.</summary>
    public string? KeyFile { get; set; }

    /// <summary>The authority that has signed the members' certificates and nobody else's, in PEM.</summary>
    public string? CaFile { get; set; }

    public bool IsEnabled => CertificateFile is not null || KeyFile is not null || CaFile is not null;
}

internal static class ClusterTls
{
    /// <summary>Throws a CryptographicException or IOException where the files cannot be used.</summary>
    public static DotNettySslSetup Of(ClusterTlsOptions options)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(options.CaFile!);
        if (authorities.Count == 0) throw new CryptographicException($"{options.CaFile} has no certificate.");
        return new DotNettySslSetup(
            X509Certificate2.CreateFromPemFile(options.CertificateFile!, options.KeyFile!), suppressValidation: false,
            requireMutualAuthentication: true, (certificate, _, _, _, _) => IsMember(certificate, authorities));
    }

    /// <summary>Who has a certificate of the authority is a member, under whatever name.</summary>
    private static bool IsMember(X509Certificate2? certificate, X509Certificate2Collection authorities)
    {
        if (certificate is null) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}
