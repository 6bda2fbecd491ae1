using System.Diagnostics.Metrics;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Millrace.Gateway.Listeners;
using Millrace.TestKit;

namespace Millrace.Gateway.Tests.Sockets.Tls;

[Platform("Linux")]
public class ServerCertificateTests
{
    [Test]
    public void The_key_of_the_tickets_lives_for_a_day()
    {
        using var folder = new TemporaryFolder();
        var options = new TlsListenerOptions
        {
            CertificateFile = Path.Combine(folder.Path, "server.pem"),
            KeyFile = Path.Combine(folder.Path, "server.key"),
        };
        File.WriteAllText(options.CertificateFile, TestTls.Server.ExportCertificatePem());
        using (var key = TestTls.Server.GetECDsaPrivateKey()!)
            File.WriteAllText(options.KeyFile, key.ExportPkcs8PrivateKeyPem());
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var metrics = new GatewayMetrics(services.GetRequiredService<IMeterFactory>());
        var time = new FakeTimeProvider();
        var certificate = new ServerCertificate(
            "mqtts", options, isOnLoops: true, time, metrics, NullLogger<ServerCertificate>.Instance);

        var first = certificate.OnLoops;
        time.Advance(TimeSpan.FromHours(23));
        Assert.That(certificate.OnLoops, Is.SameAs(first));
        time.Advance(TimeSpan.FromHours(2));
        Assert.That(certificate.OnLoops, Is.Not.SameAs(first));
    }
}
