using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Host;

/// <summary>A message's way through the platform, as a collector is told of it.</summary>
public class TraceTests
{
    private const string Asked = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string NotAsked = "11f92f3577b34da6a3ce929d0e0e4736";
    private const string Device = "00f067aa0ba902b7";

    [Test]
    public async Task A_message_is_followed_from_the_device_to_the_archive_when_its_traceparent_asks_for_it()
    {
        using var collector = new SpanCollector();
        using var folder = new TemporaryFolder();
        await using var platform = new PlatformProcess(folder.Path, ("Tracing:Endpoint", collector.Address),
            ("Tracing:Protocol", "HttpProtobuf"), ("Archiver:RollAge", "1s"));
        await platform.StartAsync();
        await platform.ApplyAsync("hot", "SELECT temperature INTO alerts FROM telemetry WHERE temperature > 20");
        var key = await platform.RegisterAsync("pump-1");

        await PublishAsync(platform.MqttPort, key, $"00-{NotAsked}-{Device}-00");
        await PublishAsync(platform.MqttPort, key, $"00-{Asked}-{Device}-01");

        string[] stages = ["append telemetry", "archive telemetry", "query hot", "write warm row"];
        await Eventually.TrueAsync(() => collector.Of(Asked).Count > stages.Length, "all stages are told of",
            TimeSpan.FromSeconds(60));
        var publish = collector.Of(Asked).Single(span => span.Name == "publish telemetry");
        Assert.That(publish.Parent, Is.EqualTo(Device));
        Assert.That(collector.Of(Asked).Where(span => span.Parent == publish.Id).Select(span => span.Name),
            Is.EquivalentTo(stages));
        Assert.That(collector.Of(NotAsked), Is.Empty);
    }

    private static async Task PublishAsync(int port, string key, string traceParent)
    {
        using var client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port)
            .WithProtocolVersion(MqttProtocolVersion.V500).WithClientId("pump-1").WithCredentials("pump-1", key)
            .Build());
        var answer = await client.PublishAsync(new MqttApplicationMessageBuilder().WithTopic("telemetry")
            .WithPayload("""{"temperature":91}""").WithContentType("application/json")
            .WithUserProperty("traceparent", System.Text.Encoding.ASCII.GetBytes(traceParent))
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build());
        Assert.That(answer.IsSuccess);
    }
}
