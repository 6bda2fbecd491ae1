using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>Certificates that are renewed while the gateway runs.</summary>
[TestFixture(0)]
[TestFixture(2)]
public class ServerCertificateTests(int eventLoops)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private TemporaryFolder _folder = null!;
    private Certificates _certificates = null!;
    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync()
    {
        GatewayHost.EventLoops = eventLoops;
        _folder = new TemporaryFolder();
        _certificates = new Certificates(_folder.Path);
        _host = await GatewayHost.StartAsync(_certificates);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task A_renewed_certificate_is_shown_without_a_restart_and_an_unusable_one_never_is()
    {
        var first = await ShownAsync();
        Assert.That(first, Is.EqualTo(Thumbprint(_certificates.ServerCertificateFile)));

        // The key does not belong to it: the first one stays. The files may bear the time of the ones they replace.
        CopyKeepingTime(_certificates.DeviceCertificateFile, _certificates.ServerCertificateFile);
        await Eventually.TrueAsync(async () =>
        {
            Assert.That(await ShownAsync(), Is.EqualTo(first));
            return _host.Meters["certificates.read/unusable"] > 0;
        }, "it is counted", Limit);

        CopyKeepingTime(_certificates.DeviceKeyFile, _certificates.ServerKeyFile);
        var renewed = Thumbprint(_certificates.DeviceCertificateFile);
        await Eventually.TrueAsync(async () => await ShownAsync() == renewed, "the renewed one is shown", Limit);
    }

    private static void CopyKeepingTime(string from, string to)
    {
        var written = File.GetLastWriteTimeUtc(to);
        File.Copy(from, to, overwrite: true);
        File.SetLastWriteTimeUtc(to, written);
    }

    private async Task<string> ShownAsync()
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _host.TlsPort);
        await using var tls = new SslStream(client.GetStream(), false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("localhost");
        return tls.RemoteCertificate!.GetCertHashString(HashAlgorithmName.SHA256);
    }

    private static string Thumbprint(string file)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(file);
        return certificate.GetCertHashString(HashAlgorithmName.SHA256);
    }
}
