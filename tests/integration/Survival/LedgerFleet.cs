using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Survival;

/// <summary>Devices that send some of everything that can become of a message, and know how much of each.</summary>
internal sealed class LedgerFleet(PlatformProcess platform)
{
    public const int Devices = 4;
    public const int Good = 20;
    public const int Undecodable = 2;
    public const int WrongTopics = 3;

    /// <summary>Beyond what the archive takes, and beyond what either store takes.</summary>
    public const int ArchivePoisonBytes = 6 << 10, PoisonBytes = 12 << 10;

    /// <summary>
    /// Messages of one device that the gateway takes: also the array, the zero, and the two large ones.
    /// </summary>
    public const int Accepted = Good + Undecodable + 4;

    /// <summary>Rows in them, as a query counts: the array has three.</summary>
    public const int Rows = Accepted + 2;

    /// <summary>Rows that no query can read: one is an element of the array.</summary>
    public const int Unreadable = Undecodable + 1;

    public async Task SendAsync()
    {
        for (var i = 0; i < Devices; i++) await DeviceAsync($"ledger-{i}");
    }

    private async Task DeviceAsync(string device)
    {
        var key = await platform.RegisterAsync(device);
        using var client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", platform.MqttPort)
            .WithProtocolVersion(MqttProtocolVersion.V500).WithClientId(device).WithCredentials(device, key).Build());
        for (var n = 1; n <= Good; n++) await TakenAsync(client, $$"""{"value":{{n}}}""");
        for (var n = 0; n < Undecodable; n++) await TakenAsync(client, "no JSON");
        await TakenAsync(client, """[{"value":1},{"value":2},7]""");
        await TakenAsync(client, """{"value":0,"at":"2020-01-01T00:00:00Z"}""");
        await TakenAsync(client, Large(ArchivePoisonBytes));
        await TakenAsync(client, Large(PoisonBytes));
        for (var n = 0; n < WrongTopics; n++)
        {
            var refused = await PublishAsync(client, "devices/another/messages/events/", "{}");
            Assert.That(refused.IsSuccess, Is.False, "a topic of another device");
        }

        await client.DisconnectAsync();
    }

    private static string Large(int bytes) => $$"""{"value":1,"pad":"{{new string('x', bytes)}}"}""";

    private static async Task TakenAsync(IMqttClient client, string body) =>
        Assert.That((await PublishAsync(client, "telemetry", body)).IsSuccess, Is.True, body);

    private static Task<MqttClientPublishResult> PublishAsync(IMqttClient client, string topic, string body) =>
        client.PublishAsync(new MqttApplicationMessageBuilder().WithTopic(topic)
            .WithPayload(Encoding.UTF8.GetBytes(body))
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build());
}
