using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Api.Queries;
using Millrace.Benchmarks.EventLog;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Local;
using Millrace.Gateway.Listeners;
using Millrace.Hosting;
using Millrace.Platform;
using Millrace.Registry.Identities;

namespace Millrace.Benchmarks.Alert;

/// <summary>
/// From a device's publish to the durable alert, through MQTT, local log and query, with every role in this process and
/// the load generator too: first as fast as it goes, then at half of that.
/// </summary>
internal static class AlertBenchmark
{
    private const int Devices = 50;
    private const int Window = 16;
    private const int AlarmEvery = 100;
    private const int Rounds = 5;
    private const int SyncBytes = 4096;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(4);

    public static async Task RunAsync(Report report)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-bench-").FullName;
        try
        {
            await RunAsync(report, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(Report report, string folder)
    {
        await using var app = Build(folder);
        await PlatformRunner.StartAsync(app, CancellationToken.None);
        var log = (TimedLog)app.Services.GetRequiredService<IEventLog>();
        var publishers = await ConnectAsync(app);
        log.QueryReads = true;
        await app.Services.GetRequiredService<QueryApplier>().EnsureAsync(
            "alarm", "SELECT sent INTO alerts FROM telemetry WHERE alarm = 1");
        using var watching = new CancellationTokenSource();
        var seen = new List<SeenAlert>();
        var watch = Task.WhenAll(Enumerable.Range(0, 4).Select(p => WatchAsync(log, p, seen, watching.Token)));

        await LoadAsync(publishers, perSecond: 0);
        var result = new AlertResult();
        for (var round = 0; round < Rounds; round++)
        {
            result.LoneSync(1_000 / PlainFile.Rate(folder, SyncBytes, writers: 1, TimeSpan.FromSeconds(1)));
            await RoundAsync(publishers, log, seen, result);
        }

        result.Tell(report, $"{Devices} connections, QoS 1, 1 alarm in {AlarmEvery} messages", Window);
        await watching.CancelAsync();
        await watch;
        foreach (var publisher in publishers) publisher.Dispose();
        await app.StopAsync();
    }

    /// <summary>The whole platform, with a log that notes times. The API is not mapped.</summary>
    private static WebApplication Build(string folder)
    {
        var builder = PlatformBuilder.Prepare(new DataFolder(folder), PlatformBuilder.AllRoles,
            [new("Gateway:Mqtt:Port", "0"), new("Http:Port", "0"), new("Logging:Level", "Warning")], null);
        builder.Services.AddSingleton<IEventLog>(s => new TimedLog(s.GetRequiredService<LocalLog>()));
        return builder.Build();
    }

    private static async Task RoundAsync(
        List<MqttPublisher> publishers, TimedLog log, List<SeenAlert> seen, AlertResult result)
    {
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var rate = await LoadAsync(publishers, perSecond: 0);
        var spent = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        lock (seen) seen.Clear();
        log.Forget();
        cpu = Process.GetCurrentProcess().TotalProcessorTime;
        using var syncs = new SyncTimes();
        var held = await LoadAsync(publishers, rate / 2);
        result.Syncs(syncs.Count / RoundTime.TotalSeconds, syncs.MeanMs);
        var busy = (Process.GetCurrentProcess().TotalProcessorTime - cpu) / RoundTime / Environment.ProcessorCount;
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        lock (seen) result.Add(rate, spent.TotalMicroseconds / (rate * RoundTime.TotalSeconds), held, busy, seen, log);
    }

    private static async Task<List<MqttPublisher>> ConnectAsync(WebApplication app)
    {
        var registry = app.Services.GetRequiredService<DeviceRegistry>();
        var port = app.Services.GetRequiredService<GatewayEndpoints>().Mqtt!.Port;
        var publishers = new List<MqttPublisher>();
        for (var i = 0; i < Devices; i++)
        {
            var device = await registry.CreateAsync(new NewDevice($"bench-{i}"), "bench");
            var publisher = new MqttPublisher();
            await publisher.ConnectAsync(port, device.DeviceId, device.PrimaryKey);
            publishers.Add(publisher);
        }

        return publishers;
    }

    /// <summary>Messages a second that were acknowledged. 0 asks for as many as there can be.</summary>
    private static async Task<double> LoadAsync(List<MqttPublisher> publishers, double perSecond)
    {
        var started = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(publishers.Select(p => Task.Run(() => perSecond == 0
            ? FloodAsync(p, started) : PaceAsync(p, started, perSecond / publishers.Count))));
        return counts.Sum() / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task<long> FloodAsync(MqttPublisher publisher, long started)
    {
        var sent = 0L;
        while (Stopwatch.GetElapsedTime(started) < RoundTime)
        {
            await publisher.PublishAsync([.. Enumerable.Range(0, Window).Select(_ => Body(sent++))]);
        }

        return sent;
    }

    /// <summary>Sends what is due, waits for it, and then for the next; what it fell behind is sent at once.</summary>
    private static async Task<long> PaceAsync(MqttPublisher publisher, long started, double perSecond)
    {
        var sent = 0L;
        while (Stopwatch.GetElapsedTime(started) is var elapsed && elapsed < RoundTime)
        {
            var due = Math.Min((long)(elapsed.TotalSeconds * perSecond) - sent, 200);
            if (due > 0) await publisher.PublishAsync([.. Enumerable.Range(0, (int)due).Select(_ => Body(sent++))]);
            else await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        return sent;
    }

    private static byte[] Body(long number) => Encoding.UTF8.GetBytes(
        $$"""{"alarm":{{(number % AlarmEvery == 0 ? 1 : 0)}},"sent":{{Stopwatch.GetTimestamp()}}}""");

    private static async Task WatchAsync(TimedLog log, int partition, List<SeenAlert> seen, CancellationToken stop)
    {
        await using var reader = log.OpenReader(new TopicPartition(Topics.Alerts, partition), 0);
        try
        {
            while (true) Note(await reader.ReadAsync(ct: stop), seen);
        }
        catch (OperationCanceledException)
        {
            // The benchmark is over.
        }
    }

    private static void Note(RecordBatch batch, List<SeenAlert> seen)
    {
        var now = Stopwatch.GetTimestamp();
        foreach (var record in batch)
        {
            if (!record.TryGetHeader(OutputHeaders.RowId, out var id)) continue;
            using var row = JsonDocument.Parse(record.Value.ToArray());
            // query/version/output/topic/partition/oOFFSET/ordinal
            var source = Encoding.UTF8.GetString(id).Split('/');
            var telemetry = new TopicPartition(source[3], int.Parse(source[4]));
            var alert = new SeenAlert(batch.Partition, record.Offset, telemetry, long.Parse(source[5][1..]),
                row.RootElement.GetProperty("sent").GetInt64(), now);
            lock (seen) seen.Add(alert);
        }
    }
}
