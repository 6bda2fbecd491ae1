using System.Net;
using Millrace.Integration.Tests.Bridge;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>The whole path as separate processes over real brokers.</summary>
public class ClusterTests
{
    [Test]
    public async Task A_device_that_connects_to_another_gateway_is_let_go_by_the_first()
    {
        await using var hub = await RoleSet.CreateAsync();
        var first = await hub.StartAsync("gateway-1", "gateway,registry");
        var second = await hub.StartAsync("gateway-2", "gateway");
        var key = await first.RegisterAsync("mover");
        using var before = await first.ConnectAsync("mover", key);
        using var after = await second.ConnectAsync("mover", key);

        await Eventually.TrueAsync(() => !before.IsConnected, "the first connection has ended");
        using var back = await first.ConnectAsync("mover", key);
        await Eventually.TrueAsync(() => !after.IsConnected, "the second connection has ended");
        Assert.That(back.IsConnected);
    }

    [Test]
    public async Task Two_processes_of_one_name_are_refused()
    {
        await using var hub = await RoleSet.CreateAsync();
        await hub.StartAsync("first", "api");
        var second = hub.Add("second", "api", ("Node:Name", "first"));
        second.LaunchRoles("api");

        await Eventually.TrueAsync(() => second.HasPrinted("HO-0003"), "it is told", TimeSpan.FromSeconds(30));
    }

    [Test]
    public async Task A_role_waits_for_its_log_and_says_so()
    {
        await using var hub = await RoleSet.CreateAsync();
        await using var way = new CutProxy(int.Parse(hub.BootstrapServers.Split(',')[0].Split(':')[1]));
        way.Down(true);
        var waiting = hub.Add("waiting", "gateway", ("EventLog:Kafka:BootstrapServers", $"127.0.0.1:{way.Port}"));
        waiting.LaunchRoles("gateway");
        await Eventually.TrueAsync(
            async () => await waiting.TryGetAsync("healthz") == HttpStatusCode.OK, "it is alive",
            TimeSpan.FromSeconds(30));

        using var ready = await waiting.Api.GetAsync("readyz");
        Assert.That(ready.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(await ready.Content.ReadAsStringAsync(), Does.Contain("event-log"));
        await Eventually.TrueAsync(() => waiting.HasPrinted("the roles start when they answer"), "it says so");

        way.Down(false);
        await waiting.WaitReadyAsync();
        await Eventually.TrueAsync(() => waiting.HasPrinted("All servers answer; the roles start"), "it says so");
    }

    [TestCase(20_261_126)]
    public Task Processes_that_are_killed_lose_no_acknowledged_message_and_double_no_row(int seed) =>
        ClusterLoad.RunAsync(seed, async (hub, random) =>
        {
            await ClusterLoad.PauseAsync(random, 1_500, 3_000);
            await hub.KillAsync("streams-1", TimeSpan.FromSeconds(1));
            await ClusterLoad.PauseAsync(random, 1_500, 3_000);
            await hub.KillAsync("gateway-1", TimeSpan.Zero);
            await ClusterLoad.PauseAsync(random, 2_500, 5_000);
        });
}
