using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Millrace.Hosting;

namespace Millrace.Platform;

/// <summary>
/// The secrets that a platform on one machine makes for itself on first start and keeps with mode 0600: its own
/// certificate authority, the server's certificate, and an administrator's token.
/// </summary>
internal sealed class PlatformSecrets
{
    private const int RsaBits = 2048;
    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3650);
    private static readonly TimeSpan ServerLife = TimeSpan.FromDays(825);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    private readonly DataFolder _data;
    private readonly TimeProvider _time;
    private readonly IReadOnlyCollection<string> _hosts;

    private PlatformSecrets(DataFolder data, TimeProvider time, IReadOnlyCollection<string> hosts) =>
        (_data, _time, _hosts) = (data, time, hosts);

    public string AuthorityFile => Path.Combine(_data.Secrets, "ca.crt");

    public string ServerCertificateFile => Path.Combine(_data.Secrets, "server.crt");

    public string ServerKeyFile => Path.Combine(_data.Secrets, "server.key");

    private string AuthorityKeyFile => Path.Combine(_data.Secrets, "ca.key");

    /// <summary>Finds the certificates of the folder, and makes those that are missing or about to end.</summary>
    /// <param name="hosts">What else the server is called than this machine.</param>
    public static PlatformSecrets Ensure(
        DataFolder data, TimeProvider time, IReadOnlyCollection<string>? hosts = null)
    {
        var owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        var secrets = new PlatformSecrets(data, time, hosts ?? []);
        if (!Directory.Exists(data.Secrets)) Directory.CreateDirectory(data.Secrets, owner);
        if (!File.Exists(secrets.AuthorityFile)) secrets.MakeAuthority();
        if (!secrets.ServerCertificateHolds()) secrets.MakeServerCertificate();
        return secrets;
    }

    /// <summary>The administrator's token of the folder, made when there is none.</summary>
    public static string EnsureToken(DataFolder data)
    {
        Directory.CreateDirectory(data.Path);
        if (!File.Exists(data.TokenFile)) MakeToken(data.TokenFile);
        return File.ReadAllText(data.TokenFile).Trim();
    }

    /// <summary>Of several processes that start at once, one makes it.</summary>
    private static void MakeToken(string path)
    {
        var unfinished = $"{path}.{Guid.NewGuid():N}";
        WriteSecret(unfinished, "mr_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        FirstFile.Name(unfinished, path);
    }

    private bool ServerCertificateHolds()
    {
        if (!File.Exists(ServerCertificateFile) || !File.Exists(ServerKeyFile)) return false;
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(ServerCertificateFile);
        return certificate.NotAfter.ToUniversalTime() > _time.GetUtcNow().UtcDateTime + RenewBefore
            && _hosts.All(host => certificate.MatchesHostname(host));
    }

    private void MakeAuthority()
    {
        using var key = RSA.Create(RsaBits);
        var request = new CertificateRequest("CN=Millrace dev CA", key, HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = _time.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddHours(-1), now + AuthorityLife);
        WriteSecret(AuthorityKeyFile, key.ExportPkcs8PrivateKeyPem());
        WriteSecret(AuthorityFile, certificate.ExportCertificatePem());
    }

    private void MakeServerCertificate()
    {
        using var authority = X509Certificate2.CreateFromPemFile(AuthorityFile, AuthorityKeyFile);
        using var key = RSA.Create(RsaBits);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        if (Dns.GetHostName() is { Length: > 0 } host && host != "localhost") names.AddDnsName(host);
        foreach (var other in _hosts)
        {
            if (IPAddress.TryParse(other, out var address)) names.AddIpAddress(address);
            else names.AddDnsName(other);
        }

        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        var now = _time.GetUtcNow();
        using var certificate = request.Create(
            authority, now.AddHours(-1), now + ServerLife, RandomNumberGenerator.GetBytes(16));
        WriteSecret(ServerKeyFile, key.ExportPkcs8PrivateKeyPem());
        WriteSecret(ServerCertificateFile, certificate.ExportCertificatePem());
    }

    private static void WriteSecret(string path, string text)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using var file = new FileStream(path, options);
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
    }
}
