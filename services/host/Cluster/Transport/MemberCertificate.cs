using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Akka.Event;

namespace Millrace.Cluster.Transport;

/// <summary>
/// What this member shows, and by which authority it knows the others. The files are read for each handshake, so that a
/// renewed certificate is taken without a restart.
/// </summary>
internal sealed class MemberCertificate
{
    private readonly ClusterTlsOptions _files;
    private volatile Loaded _loaded;

    /// <summary>Throws a CryptographicException or IOException where the files cannot be used.</summary>
    public MemberCertificate(ClusterTlsOptions files)
    {
        _files = files;
        _loaded = new Loaded(Pem.Read(files));
    }

    /// <summary>The accepting side of a connection, when both have shown that they are members.</summary>
    public async Task<Stream> AcceptAsync(Stream connection, ILoggingAdapter log, CancellationToken ct)
    {
        var loaded = Current(log);
        var stream = new SslStream(connection);
        await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = loaded.Context,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = loaded.IsMember,
        }, ct);
        return stream;
    }

    /// <summary>The connecting side. The other one looks at this certificate last: it may still hang up.</summary>
    public async Task<Stream> ConnectAsync(Stream connection, string host, ILoggingAdapter log, CancellationToken ct)
    {
        var loaded = Current(log);
        var stream = new SslStream(connection);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = host,
            ClientCertificateContext = loaded.Context,
            RemoteCertificateValidationCallback = loaded.IsMember,
        }, ct);
        return stream;
    }

    private Loaded Current(ILoggingAdapter log)
    {
        try
        {
            var pem = Pem.Read(_files);
            if (pem != _loaded.Pem) _loaded = new Loaded(pem);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or CryptographicException
            or ArgumentException)
        {
            log.Warning("The files of Cluster:Tls cannot be used as they are now, the certificate before is kept: {0}",
                cause.Message);
        }

        return _loaded;
    }

    private sealed record Pem(string Certificate, string Key, string Authorities)
    {
        public static Pem Read(ClusterTlsOptions files) => new(File.ReadAllText(files.CertificateFile!),
            File.ReadAllText(files.KeyFile!), File.ReadAllText(files.CaFile!));
    }

    private sealed class Loaded
    {
        private readonly X509Certificate2Collection _authorities = [];

        public Loaded(Pem pem)
        {
            Pem = pem;
            _authorities.ImportFromPem(pem.Authorities);
            if (_authorities.Count == 0) throw new CryptographicException("CaFile has no certificate.");
            Context = SslStreamCertificateContext.Create(
                X509Certificate2.CreateFromPem(pem.Certificate, pem.Key), null, offline: true);
        }

        public Pem Pem { get; }

        public SslStreamCertificateContext Context { get; }

        /// <summary>Who has a certificate of the authority is a member, under whatever name.</summary>
        public bool IsMember(object sender, X509Certificate? certificate, X509Chain? shown, SslPolicyErrors errors)
        {
            if (certificate is not X509Certificate2 member) return false;
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            return chain.Build(member);
        }
    }
}
