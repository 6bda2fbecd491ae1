using System.Net.Sockets;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>What `millrace dev` takes from its environment.</summary>
public class DevSettingsTests
{
    [Test]
    public async Task The_environment_wins_over_its_defaults_and_its_options_over_the_environment()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(
            folder.Path, ("Logging:Level", "Information"), ("Gateway:Mqtts:Enabled", "false"), ("Http:Port", "1"));

        await platform.StartAsync();

        Assert.That(platform.HasPrinted(" INF "), platform.Printed);
        using var client = new TcpClient();
        Assert.That(async () => await client.ConnectAsync("127.0.0.1", platform.MqttsPort),
            Throws.InstanceOf<SocketException>(), "there is no TLS");
        Assert.That(platform.HasPrinted($"mosquitto_pub -h 127.0.0.1 -p {platform.MqttPort} "), platform.Printed);
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, platform.Printed);
    }
}
