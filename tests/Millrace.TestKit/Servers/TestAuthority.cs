using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.TestKit.Servers;

/// <summary>An authority for the servers of a test, and the certificates that it signs, in PEM.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly RSA _key = RSA.Create(2048);
    private readonly DateTimeOffset _madeAt = TimeProvider.System.GetUtcNow();
    private readonly X509Certificate2 _certificate;

    public TestAuthority()
    {
        var request = new CertificateRequest("CN=test CA", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _certificate = request.CreateSelfSigned(_madeAt.AddHours(-1), _madeAt.AddDays(1));
    }

    public string Pem => _certificate.ExportCertificatePem();

    /// <summary>For a host of this name, or for a client.</summary>
    public (string Certificate, string Key) Sign(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(
            _certificate, _madeAt.AddHours(-1), _madeAt.AddHours(23), RandomNumberGenerator.GetBytes(8));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }
}
