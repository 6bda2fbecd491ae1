using Millrace.Contracts;
using Millrace.Stores.Alerts;
using Millrace.Stores.Outputs;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.Stores.Tests;

public class StoreRetentionTests
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private static readonly TopicPartition Partition = new("any", 0);

    [Test]
    public async Task What_is_older_than_its_retention_goes_and_zero_keeps_all()
    {
        using var folder = new TemporaryFolder();
        using var host = StoreHost.Open(folder.Path, ("TelemetryRetention", "01:00:00"), ("AlertRetention", "00:00:00"),
            ("OutputRetention", "02:00:00"), ("RetentionInterval", "00:00:01"));
        var (telemetry, alerts, outputs) =
            (host.Get<ITelemetryStore>(), host.Get<IAlertStore>(), host.Get<IOutputStore>());
        var position = new SinkPosition(1);
        await telemetry.WriteAsync(Partition, [Message(0, 61), Message(1, 59)], position);
        await alerts.WriteAsync(Partition, [Alert("old", 1_000_000)], position);
        await outputs.WriteAsync(Partition, [Output("old", 121), Output("new", 119)], position);

        await host.StartAsync();
        await Eventually.TrueAsync(async () =>
                await telemetry.CountAsync() == 1
                && (await outputs.QueryAsync("o", null, null, 10, null)).Items.Count == 1,
            "the old rows are gone");
        await host.StopAsync();

        Assert.That((await telemetry.QueryAsync(new TelemetryRange("d"))).Items.Single().Offset, Is.EqualTo(1));
        Assert.That((await outputs.QueryAsync("o", null, null, 10, null)).Items.Single().RowId, Is.EqualTo("new"));
        Assert.That(await alerts.CountAsync(), Is.EqualTo(1));
    }

    private static DateTimeOffset Ago(int minutes) => Now.AddMinutes(-minutes);

    private static OutputRow Output(string id, int minutes) => new(id, "o", "q", 1, Ago(minutes), "{}");

    private static AlertRow Alert(string id, int minutes) =>
        new(id, "q", 1, null, AlertSeverity.Info, "m", Ago(minutes), "{}");

    private static TelemetryMessage Message(long offset, int minutes) => new()
    {
        DeviceId = "d",
        Partition = 0,
        Offset = offset,
        EnqueuedAtMs = Ago(minutes).ToUnixTimeMilliseconds(),
        EventAtMs = 0,
        Properties = new Dictionary<string, string>(),
        Body = [],
    };
}
