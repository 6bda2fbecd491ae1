using System.Security.Cryptography.X509Certificates;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

/// <summary>What a platform in a container needs of the command.</summary>
public class ContainerVerbTests() : PlatformTests(
    isShared: true, ("Http:Address", "0.0.0.0"), ("Http:AllowPlainOnAnyAddress", "true"))
{
    [TestCase]
    [TestCase("--ready")]
    public async Task A_process_that_runs_is_alive_and_takes_work(params string[] more)
    {
        var server = $"http://127.0.0.1:{Platform.HttpPort}";
        var result = await Command.MillraceAsync(["health", "--server", server, .. more]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain("Healthy"));
    }

    [Test]
    public async Task One_that_does_not_run_is_not()
    {
        var result = await Command.MillraceAsync("health", "--server", $"http://127.0.0.1:{Platform.MqttPort}");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("CL-0002"));
    }

    [Test]
    public async Task Verbs_find_a_platform_that_listens_on_all_addresses()
    {
        var result = await Command.MillraceAsync("device", "list", "--data", Folder.Path);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
    }

    [Test]
    public async Task A_certificate_is_kept_while_its_names_suffice_and_made_anew_by_the_same_authority()
    {
        using var folder = new TemporaryFolder();
        var first = await MakeAsync(folder, "gateway");
        Assert.That(first.MatchesHostname("gateway") && first.MatchesHostname("localhost"));
        Assert.That(await MakeAsync(folder, "gateway"), Is.EqualTo(first));

        var second = await MakeAsync(folder, "gateway", "192.0.2.7");
        Assert.That(second, Is.Not.EqualTo(first));
        Assert.That(second.MatchesHostname("192.0.2.7"));
        Assert.That(second.Issuer, Is.EqualTo(first.Issuer));
    }

    private static async Task<X509Certificate2> MakeAsync(TemporaryFolder folder, params string[] hosts)
    {
        var result = await Command.MillraceAsync(
            ["certificate", "make", "--data", folder.Path, .. hosts.SelectMany(host => new[] { "--host", host })]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        var file = result.Output.Split('\n').First(line => line.EndsWith("server.crt"));
        return X509CertificateLoader.LoadCertificateFromFile(file);
    }
}
