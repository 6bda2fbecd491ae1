using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>A CA, a server's and a device's certificate, as PEM files.</summary>
internal sealed class Certificates
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = new(2040, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string _folder;

    public Certificates(string folder)
    {
        _folder = folder;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test-ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        using var ca = request.CreateSelfSigned(From, Until);
        CaFile = Write("ca.pem", ca.ExportCertificatePem());
        (ServerCertificateFile, ServerKeyFile, _) = Issue("server", ca, From, Until);
        (DeviceCertificateFile, DeviceKeyFile, DeviceThumbprint) = Issue("device", ca, From, Until);
        var past = From.AddYears(1);
        (OldCertificateFile, OldKeyFile, OldThumbprint) = Issue("old", ca, From, past);
    }

    public string CaFile { get; }
    public string ServerCertificateFile { get; }
    public string ServerKeyFile { get; }
    public string DeviceCertificateFile { get; }
    public string DeviceKeyFile { get; }
    public string DeviceThumbprint { get; }
    public string OldCertificateFile { get; }
    public string OldKeyFile { get; }
    public string OldThumbprint { get; }

    private (string Certificate, string Key, string Thumbprint) Issue(
        string name, X509Certificate2 ca, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(ca, from, until, RandomNumberGenerator.GetBytes(8));
        return (Write($"{name}.pem", certificate.ExportCertificatePem()),
            Write($"{name}.key", key.ExportPkcs8PrivateKeyPem()),
            Convert.ToHexString(certificate.GetCertHash(HashAlgorithmName.SHA256)));
    }

    private string Write(string name, string pem)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, pem);
        return path;
    }
}
