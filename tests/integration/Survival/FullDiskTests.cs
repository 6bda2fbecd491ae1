using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Millrace.Integration.Tests.Survival;

/// <summary>The disk of a real platform runs full under load, and has room again.</summary>
public class FullDiskTests
{
    private const int Mebi = 1 << 20;
    private const string Observed = "{\"observer\":true}";

    /// <summary>Refused by the guard while there is room for the stores; refused by the disk itself.</summary>
    [TestCase(320, null, 250 * Mebi, TestName = "The_disk_guard_stops_acknowledgements_until_there_is_room")]
    [TestCase(64, "0", 0, TestName = "A_disk_without_a_free_byte_stops_acknowledgements_until_there_is_room")]
    public async Task A_full_disk_stops_acknowledgements_until_there_is_room(
        int mebibytes, string? freeBytesMin, long freeWhenFull)
    {
        using var folder = new TemporaryFolder();
        await using var disk = await SmallDisk.MountAsync(folder.Path, mebibytes);
        var data = Path.Combine(disk.Path, "data");
        (string, string)[] settings = freeBytesMin is null ? [] : [("EventLog:FreeBytesMin", freeBytesMin)];
        await using var platform = new PlatformProcess(data, settings);
        await platform.StartAsync();
        var fleet = new TrackedFleet(platform, devices: 4, window: 4);
        await fleet.RegisterAsync();
        using var observer = new MqttClientFactory().CreateMqttClient();
        var ended = await ConnectAsync(observer, platform);
        using var stop = new CancellationTokenSource();
        var load = fleet.RunAsync(stop.Token);
        await Eventually.TrueAsync(() => fleet.Acknowledged.Count > 200, "there is load");

        await Eventually.TrueAsync(async () =>
        {
            disk.Fill(freeWhenFull);
            return !await IsAcknowledgedAsync(observer);
        }, "a publish is not acknowledged");
        var reason = await ended.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That(reason, Is.EqualTo(MqttClientDisconnectReason.QuotaExceeded), platform.Printed);
        await Eventually.TrueAsync(() => platform.HasPrinted("LOG-0005"), "the log says so");
        await Eventually.TrueAsync(() => platform.HasPrinted("GW-0006"), "the gateway says so");

        var before = 0;
        await Eventually.TrueAsync(async () =>
        {
            disk.Fill(freeWhenFull);
            before = fleet.Acknowledged.Count;
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            return fleet.Acknowledged.Count == before;
        }, "nothing is acknowledged any more");

        disk.MakeRoom();
        await Eventually.TrueAsync(() => fleet.Acknowledged.Count > before + 200, "it takes messages again",
            TimeSpan.FromSeconds(30));
        await stop.CancelAsync();
        await load;
        await platform.SettleAsync();
        Assert.That(await platform.TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, platform.Printed);

        await using var stopped = new StoppedPlatform(data);
        var records = await stopped.TelemetryAsync();
        Evidence.EachAcknowledgedMessageIsThere(fleet, Sent(records));
        var devices = records.Values.Select(r => r.Device).Distinct();
        Evidence.IsTheLog(records, await stopped.WarmAsync(devices), "the warm store");
        await Evidence.ArchiveIsTheLogAsync(data, records);
        TestContext.Out.WriteLine(
            $"{before} acknowledged before there was room, {fleet.Acknowledged.Count} in the end");
    }

    /// <summary>What the fleet sent; the observer's messages have no number of theirs.</summary>
    private static Dictionary<(int Partition, long Offset), (string Device, string Body)> Sent(
        Dictionary<(int Partition, long Offset), (string Device, string Body)> records) =>
        records.Where(r => r.Value.Body != Observed).ToDictionary();

    private static async Task<Task<MqttClientDisconnectReason>> ConnectAsync(
        IMqttClient client, PlatformProcess platform)
    {
        const string device = "observer";
        var key = await platform.RegisterAsync(device);
        var ended = new TaskCompletionSource<MqttClientDisconnectReason>();
        client.DisconnectedAsync += e =>
        {
            ended.TrySetResult(e.Reason);
            return Task.CompletedTask;
        };
        var options = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", platform.MqttPort)
            .WithProtocolVersion(MqttProtocolVersion.V500).WithClientId(device)
            .WithCredentials(device, key).WithTimeout(TimeSpan.FromSeconds(10)).Build();
        await client.ConnectAsync(options);
        return ended.Task;
    }

    private static async ValueTask<bool> IsAcknowledgedAsync(IMqttClient client)
    {
        try
        {
            var message = new MqttApplicationMessageBuilder().WithTopic("telemetry").WithPayload(Observed)
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
            return (await client.PublishAsync(message)).IsSuccess;
        }
        catch (Exception)
        {
            return false;
        }
    }
}
