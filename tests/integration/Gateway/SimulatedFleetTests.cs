using System.Text.Json;
using Millrace.Contracts;
using Millrace.Simulator;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>What simulated fleets send is what their options say.</summary>
public class SimulatedFleetTests
{
    private const int Fleet = 4;
    private static readonly TimeSpan Brief = TimeSpan.FromSeconds(3);

    private GatewayHost _host = null!;

    [SetUp]
    public async Task StartAsync() => _host = await GatewayHost.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _host.DisposeAsync();

    [Test]
    public async Task What_is_sent_is_acknowledged_and_carries_its_time_in_the_body_and_as_its_creation_time()
    {
        var report = await RunAsync(Options());
        var telemetry = await _host.TelemetryAsync((int)report.Sent);
        Assert.That(report, Has.Property("Refused").Zero.And.Property("Acknowledged").EqualTo(report.Sent));
        Assert.That(telemetry.Select(t => t.DeviceId).Distinct().Count(), Is.EqualTo(Fleet));
        foreach (var message in telemetry)
        {
            var made = Body(message).GetProperty("time").GetDateTimeOffset();
            Assert.That(message.Headers["creation-time"], Is.EqualTo(made.ToString("O")));
            Assert.That(TimeProvider.System.GetUtcNow() - made, Is.LessThan(TimeSpan.FromMinutes(1)));
        }
    }

    [Test]
    public async Task Late_messages_are_two_minutes_old()
    {
        await RunAsync(Options() with { LateShare = 1 });
        var made = (await _host.TelemetryAsync()).Select(t => Body(t).GetProperty("time").GetDateTimeOffset());
        Assert.That(made, Is.Not.Empty.And.All.LessThan(TimeProvider.System.GetUtcNow().AddMinutes(-2)));
    }

    [Test]
    public async Task Duplicates_are_the_same_message_twice()
    {
        await RunAsync(Options() with { DuplicateShare = 1 });
        var copies = (await _host.TelemetryAsync()).CountBy(t => (t.DeviceId, t.Body)).Select(g => g.Value);
        Assert.That(copies, Is.Not.Empty.And.All.EqualTo(2));
    }

    [Test]
    public async Task Malformed_bodies_are_no_JSON()
    {
        await RunAsync(Options() with { MalformedShare = 1 });
        var telemetry = await _host.TelemetryAsync();
        Assert.That(telemetry, Is.Not.Empty);
        foreach (var message in telemetry) Assert.That(() => Body(message), Throws.InstanceOf<JsonException>());
    }

    [Test]
    public async Task Devices_that_go_offline_come_back()
    {
        var spell = TimeSpan.FromMilliseconds(400);
        await RunAsync(Options() with { OfflineShare = 1, OfflineSpell = spell });
        var lives = (await _host.LifecycleAsync(Fleet * 4)).GroupBy(e => e.DeviceId).ToList();
        Assert.That(lives, Has.Count.EqualTo(Fleet));
        foreach (var events in lives)
        {
            var kinds = events.Select(e => e.Kind).ToList();
            Assert.That(kinds, Is.EqualTo(kinds.Select((_, i) =>
                i % 2 == 0 ? LifecycleKind.Connected : LifecycleKind.Disconnected)));
            var away = events.Chunk(2).Zip(events.Chunk(2).Skip(1), (one, next) => next[0].At - one[1].At);
            Assert.That(away, Is.Not.Empty.And.All.GreaterThanOrEqualTo(spell - TimeSpan.FromMilliseconds(100)));
        }
    }

    [Test]
    public async Task Messages_are_sent_when_due_until_as_many_are_on_their_way_as_may_be()
    {
        _host.Log.Shut();
        var options = Options() with { InFlightMax = 5 };
        var sent = 0L;
        var progress = new Progress<SimulationReport>(report => Interlocked.Exchange(ref sent, report.Sent));
        var running = RunAsync(options, progress);
        await Eventually.TrueAsync(() => Interlocked.Read(ref sent) == Fleet * 5, "each has five on their way");
        _host.Log.Open();
        var report = await running;
        Assert.That(report.Acknowledged, Is.EqualTo(report.Sent));
    }

    [Test]
    public async Task A_thousand_devices_send_from_one_process_as_often_as_they_should()
    {
        // Each machine sends every second.
        var report = await RunAsync(Options() with
        {
            Scenario = "machines",
            Devices = 1_000,
            Rate = 1,
            Duration = TimeSpan.FromSeconds(20),
        });
        Assert.That(report, Has.Property("Refused").Zero.And.Property("Acknowledged").EqualTo(report.Sent));
        Assert.That((await _host.TelemetryAsync()).CountBy(t => t.DeviceId).Select(d => d.Value),
            Has.Exactly(1_000).GreaterThanOrEqualTo(10));
    }

    private static SimulationOptions Options() => new()
    {
        Host = "127.0.0.1",
        Port = 0,
        Devices = Fleet,
        Rate = 100,
        Duration = Brief,
    };

    private async Task<SimulationReport> RunAsync(
        SimulationOptions options, IProgress<SimulationReport>? progress = null)
    {
        options = options with { Port = _host.Port };
        foreach (var id in options.DeviceIds) await _host.AddDeviceAsync(id);
        return await new FleetSimulation(options, TimeProvider.System).RunAsync(
            options.DeviceIds.ToDictionary(id => id, _ => GatewayHost.Key), progress, CancellationToken.None);
    }

    private static JsonElement Body(Telemetry message) => JsonDocument.Parse(message.Body).RootElement;
}
