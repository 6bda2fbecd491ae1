using System.Net;
using System.Net.Http.Json;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>
/// QoS 2 both ways while brokers and gateways die under it: a device whose gateway is killed goes on with its session
/// on the other one, which finds in the brokers' log what the first had written. Each message once.
/// </summary>
[Category("Faults")]
public class ExactlyOnceFaultTests
{
    private const string Device = "exact-1";
    private const int Brokers = 3, Rounds = 8;
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(90);
    private static readonly string[] Gateways = ["gateway-1", "gateway-2"];

    [TestCase(11)]
    [TestCase(12)]
    public async Task Brokers_and_gateways_that_die_double_no_qos_2_message_and_lose_none(int seed)
    {
        await using var hub = await RoleSet.CreateAsync(new HubShape(Brokers));
        var api = await hub.StartAsync("api", ClusterLoad.ApiRoles);
        foreach (var gateway in Gateways) await hub.StartAsync(gateway, "gateway");
        var client = new ExactlyOnceClient(
            [.. Gateways.Select(gateway => hub[gateway].MqttPort)], Device, await api.RegisterAsync(Device));
        using var stop = new CancellationTokenSource();
        var running = client.RunAsync(stop.Token);
        try
        {
            await TroubleAsync(hub, api, client, running, new Random(seed));
        }
        finally
        {
            foreach (var gateway in Gateways) TestContext.Out.WriteLine($"{gateway}:\n{hub[gateway].Printed}");
            await stop.CancelAsync();
            await running;
        }
    }

    private static async Task TroubleAsync(
        RoleSet hub, PlatformProcess api, ExactlyOnceClient client, Task running, Random random)
    {
        await Eventually.TrueAsync(() => client.IsSubscribed, "subscribed", Recovery);
        var (published, accepted, brokersKilled) = (0, new List<string>(), 0);
        for (var round = 0; round < Rounds; round++)
        {
            // What it finds wrong ends it.
            if (running.IsCompleted) await running;
            for (var n = random.Next(20, 60); n > 0; n--) client.Publish($"up-{published++}");
            for (var n = random.Next(5, 15); n > 0; n--) await SendAsync(api, $"down-{round}-{n}", accepted);
            var broker = random.Next(2) == 0 ? hub.LeaderOf(Device) : 0;
            if (broker > 0) await hub.Brokers.KillAsync(broker);
            if (broker > 0) brokersKilled++;

            // How far it gets before the next blow is the point: nothing is waited for here.
            await ClusterLoad.PauseAsync(random, 0, 1_000);
            await hub.KillAsync(Gateways[round % 2], TimeSpan.FromMilliseconds(random.Next(1_000)));
            if (broker > 0) await hub.Brokers.StartAsync(broker);
            await hub.KillAsync(Gateways[(round + 1) % 2], TimeSpan.FromMilliseconds(random.Next(1_000)));
        }

        await SendAsync(api, "last", accepted);
        await Eventually.TrueAsync(async () =>
        {
            if (running.IsCompleted) await running;
            return client.IsDone && client.Delivered.Contains("last");
        }, () => $"all is exchanged: {client.Delivered.Count} of {accepted.Count} down", Recovery);

        Assert.That(client.Delivered, Is.EqualTo(accepted), "messages to the device");
        await using var log = await hub.OpenLogAsync();
        Assert.That(await BodiesAsync(log), Is.EqualTo(Enumerable.Range(0, published).Select(i => $"up-{i}")),
            "messages in the log");
        Assert.That(brokersKilled, Is.Positive);
        TestContext.Out.WriteLine($"{published} up, {accepted.Count} down, {client.Connections} connections, "
            + $"{brokersKilled} brokers killed");
    }

    private static async Task SendAsync(PlatformProcess api, string body, List<string> accepted)
    {
        using var patience = new CancellationTokenSource(Recovery);
        using var answer = await api.Api.PostAsJsonAsync(
            $"api/v1/devices/{Device}/messages", new { body, qos = 2 }, patience.Token);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        accepted.Add(body);
    }

    private static async Task<List<string>> BodiesAsync(IEventLog log)
    {
        var bodies = new List<string>();
        var number = Partitioner.PartitionOf(Encoding.UTF8.GetBytes(Device), RoleSet.Partitions);
        var partition = new TopicPartition(Topics.Telemetry, number);
        var range = await log.RangeAsync(partition);
        await using var reader = log.OpenReader(partition, range.First);
        using var patience = new CancellationTokenSource(Recovery);
        while (reader.Position < range.Next)
        {
            foreach (var record in await reader.ReadAsync(ct: patience.Token))
                bodies.Add(Encoding.UTF8.GetString(record.Value));
        }

        return bodies;
    }
}
