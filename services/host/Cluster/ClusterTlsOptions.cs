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
