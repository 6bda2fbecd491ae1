using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Contracts;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>What befalls the brokers under the whole platform, which goes on by itself.</summary>
[Category("Faults")]
public class BrokerFaultTests
{
    private const int Count = 3;
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(20), Cut = TimeSpan.FromSeconds(30);

    // What was on its way has come by then, or will not.
    private static readonly TimeSpan Begun = TimeSpan.FromSeconds(5);

    [TestCase(5)]
    public Task Brokers_die_hang_are_restarted_and_cut_off_and_nothing_is_lost_or_doubled(int seed) =>
        ClusterLoad.RunAsync(seed, new HubShape(Count), async (hub, fleet, random) =>
        {
            var faults = new List<(string Name, Func<Task> Fault)>
            {
                ("kill a leader", async () => await KillAsync(hub.Brokers, Leader(hub, fleet, random), fleet)),
                ("kill the controller", () => KillControllerAsync(hub.Brokers, fleet)),
                ("hang", () => HangAsync(hub.Brokers, Leader(hub, fleet, random), fleet)),
                ("restart all", () => RestartAllAsync(hub.Brokers, fleet)),
            };
            if (hub.Brokers.CanBeCutOff)
                faults.Add(("cut off", () => CutOffAsync(hub, fleet, random)));
            else TestContext.Out.WriteLine("no broker is cut off: that takes the engines command");
            var inOrder = faults.ToArray();
            random.Shuffle(inOrder);
            foreach (var (name, fault) in inOrder)
            {
                var begun = Stopwatch.StartNew();
                await fault();
                await fleet.GoesOnAsync($"after {name}");
                TestContext.Out.WriteLine($"{name}: {begun.Elapsed.TotalSeconds:0} s");
            }
        });

    private static async Task KillAsync(KafkaServers brokers, int broker, TrackedFleet fleet)
    {
        await brokers.KillAsync(broker);
        await fleet.GoesOnAsync($"without broker {broker}");
        await brokers.StartAsync(broker);
    }

    private static async Task KillControllerAsync(KafkaServers brokers, TrackedFleet fleet)
    {
        var controller = await brokers.ControllerAsync();
        await brokers.KillAsync(controller);
        await fleet.GoesOnAsync($"without the controller, {controller}");
        Assert.That(await brokers.ControllerAsync(), Is.Not.EqualTo(controller));
        await brokers.StartAsync(controller);
    }

    /// <summary>Its partitions have other leaders before it is back.</summary>
    private static async Task HangAsync(KafkaServers brokers, int broker, TrackedFleet fleet)
    {
        await brokers.PauseAsync(broker);
        var wentOn = await WentOnAsync(fleet, Hang);
        await brokers.ResumeAsync(broker);
        TestContext.Out.WriteLine($"{wentOn} devices of {fleet.Devices.Count} went on while broker {broker} hung");
        Assert.That(wentOn, Is.GreaterThan(0));
    }

    private static async Task RestartAllAsync(KafkaServers brokers, TrackedFleet fleet)
    {
        for (var broker = 1; broker <= Count; broker++)
        {
            await brokers.KillAsync(broker);
            await brokers.StartAsync(broker);
            await fleet.GoesOnAsync($"after the restart of broker {broker}");
        }
    }

    /// <summary>The controller hears from it all the time, so that what it leads waits, and the rest goes on.</summary>
    private static async Task CutOffAsync(RoleSet hub, TrackedFleet fleet, Random random)
    {
        await SpreadAsync(hub);
        var broker = Leader(hub, fleet, random);
        hub.Brokers.CutOff(broker);
        var wentOn = await WentOnAsync(fleet, Cut);
        hub.Brokers.Reconnect(broker);
        var devices = fleet.Devices.Count;
        TestContext.Out.WriteLine($"{wentOn} devices of {devices} went on while broker {broker} was cut off");
        Assert.That(wentOn, Is.GreaterThan(0).And.LessThan(devices));
    }

    /// <summary>How many devices had messages acknowledged in the time, but for what was on its way.</summary>
    private static async Task<int> WentOnAsync(TrackedFleet fleet, TimeSpan time)
    {
        await Task.Delay(Begun, TimeProvider.System);
        var before = fleet.AcknowledgedEach();
        await Task.Delay(time - Begun, TimeProvider.System);
        return fleet.AcknowledgedEach().Zip(before).Count(device => device.First > device.Second);
    }

    /// <summary>After other faults one broker may lead everything.</summary>
    private static async Task SpreadAsync(RoleSet hub)
    {
        using var admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = hub.BootstrapServers }).Build();
        var partitions = Enumerable.Range(0, RoleSet.Partitions)
            .Select(number => new Confluent.Kafka.TopicPartition(hub.Topic(Topics.Telemetry), number)).ToList();
        await Eventually.TrueAsync(async () =>
        {
            await ElectAsync(admin, partitions);
            var topic = admin.GetMetadata(hub.Topic(Topics.Telemetry), TimeSpan.FromSeconds(20)).Topics.Single();
            return topic.Partitions.All(partition => partition.Leader == partition.Replicas[0]);
        }, "each partition is led by the first of its replicas", TimeSpan.FromSeconds(60));
    }

    private static async Task ElectAsync(IAdminClient admin, List<Confluent.Kafka.TopicPartition> partitions)
    {
        try
        {
            await admin.ElectLeadersAsync(ElectionType.Preferred, partitions);
        }
        catch (ElectLeadersException)
        {
            // Some are led so already, or the replica is not in sync yet.
        }
    }

    /// <summary>Who leads the partition of one of the devices.</summary>
    private static int Leader(RoleSet hub, TrackedFleet fleet, Random random) =>
        hub.LeaderOf(fleet.Devices[random.Next(fleet.Devices.Count)]);
}
