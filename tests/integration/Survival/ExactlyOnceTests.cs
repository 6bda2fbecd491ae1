using System.Net;
using System.Net.Http.Json;
using System.Text;
using Millrace.Contracts;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>QoS 2 both ways over kill -9 of the real process: each message once.</summary>
[Category("Samples")]
public class ExactlyOnceTests
{
    private const string Device = "exact-1";
    private static readonly int Kills = Samples.Of(4);
    private const int Seed = 20_261_125;

    [Test]
    public async Task Kills_double_no_qos_2_message_and_lose_none()
    {
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path);
        await platform.StartAsync();
        var client = new ExactlyOnceClient([platform.MqttPort], Device, await platform.RegisterAsync(Device));
        using var stop = new CancellationTokenSource();
        var running = client.RunAsync(stop.Token);
        await Eventually.TrueAsync(() => client.IsSubscribed, "subscribed");

        var random = new Random(Seed);
        var (published, accepted) = (0, new List<string>());
        for (var kill = 0; kill < Kills; kill++)
        {
            for (var n = random.Next(20, 60); n > 0; n--) client.Publish($"up-{published++}");
            for (var n = random.Next(5, 15); n > 0; n--) await SendAsync(platform, $"down-{kill}-{n}", accepted);

            // How far it gets before the crash is the point: nothing is waited for here.
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(0, 400)), TimeProvider.System);
            await platform.KillAsync();
            await platform.StartAsync();
        }

        await SendAsync(platform, "last", accepted);
        await Eventually.TrueAsync(() => client.IsDone && client.Delivered.Contains("last"), "all is exchanged",
            TimeSpan.FromSeconds(60));
        await stop.CancelAsync();
        await running;
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, platform.Printed);

        Assert.That(client.Delivered, Is.EqualTo(accepted), "messages to the device");
        await using var stopped = new StoppedPlatform(folder.Path);
        var log = new List<string>();
        foreach (var batch in await stopped.BatchesAsync(Topics.Telemetry))
        {
            foreach (var record in batch) log.Add(Encoding.UTF8.GetString(record.Value));
        }

        Assert.That(log, Is.EqualTo(Enumerable.Range(0, published).Select(i => $"up-{i}")), "messages in the log");
        TestContext.Out.WriteLine($"{published} up, {accepted.Count} down, {client.Connections} connections");
    }

    private static async Task SendAsync(PlatformProcess platform, string body, List<string> accepted)
    {
        var path = $"api/v1/devices/{Device}/messages";
        using var answer = await platform.Api.PostAsJsonAsync(path, new { body, qos = 2 });
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        accepted.Add(body);
    }
}
