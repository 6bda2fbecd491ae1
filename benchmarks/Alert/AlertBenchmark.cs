using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Api.Queries;
using Millrace.Benchmarks.EventLog;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Listeners;
using Millrace.Hosting;
using Millrace.Platform;
using Millrace.Registry.Identities;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Alert;

/// <summary>
/// From a device's publish to the durable alert and to the stored row, through MQTT, event log, query and warm writer,
/// with every role in this process and the load generator too: first as fast as it goes, then, when the machine is at
/// rest, at half of what they hold, which is the lesser of what the gateway takes and of what the warm writer does.
/// </summary>
internal static class AlertBenchmark
{
    private const int Devices = 50;
    private const int Rounds = 5;
    private const int SyncBytes = 4096;

    private const double BusyAtRest = 0.25;

    private static readonly TimeSpan StoredTimeout = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan RestMax = TimeSpan.FromMinutes(1);

    public static Task RunAsync(Report report) => RunAsync(report, goals: true);

    /// <param name="goals">Those of DESIGN for one process without a server.</param>
    /// <param name="settings">Of the platform, such as EventLog:Kind=Kafka.</param>
    public static async Task RunAsync(Report report, bool goals, params string[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-bench-").FullName;
        try
        {
            await RunAsync(report, folder, goals, settings);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(Report report, string folder, bool goals, string[] settings)
    {
        await using var app = Build(folder, settings);
        await PlatformRunner.StartAsync(app, CancellationToken.None);
        var log = (TimedLog)app.Services.GetRequiredService<IEventLog>();
        var rows = (TimedRows)app.Services.GetRequiredService<ITelemetryStore>();
        using var load = await ConnectAsync(app);
        log.QueryReads = true;
        await app.Services.GetRequiredService<QueryApplier>().EnsureAsync(
            "alarm", "SELECT sent INTO alerts FROM telemetry WHERE alarm = 1");
        using var watching = new CancellationTokenSource();
        var seen = new List<SeenAlert>();
        var watch = Task.WhenAll(Enumerable.Range(0, 4).Select(p => WatchAsync(log, p, seen, watching.Token)));

        // Until the code that runs often is compiled as well as it gets.
        for (var round = 0; round < Rounds; round++)
        {
            var rate = await load.RunAsync(perSecond: 0);
            await StoredAsync(load, rows);
            await load.RunAsync(rate / 4);
        }

        await StoredAsync(load, rows);
        var result = new AlertResult();
        for (var round = 0; round < Rounds; round++)
        {
            result.LoneSync(1_000 / PlainFile.Rate(folder, SyncBytes, writers: 1, TimeSpan.FromSeconds(1)));
            await RoundAsync(load, log, rows, seen, result);
        }

        result.Tell(report, $"{Devices} connections, QoS 1, 1 alarm in {AlertLoad.AlarmEvery} messages", goals);
        await watching.CancelAsync();
        await watch;
        await app.StopAsync();
    }

    /// <summary>The whole platform, with a log and a store that note times. The API is not mapped.</summary>
    private static WebApplication Build(string folder, string[] settings)
    {
        var builder = PlatformBuilder.Prepare(new DataFolder(folder), PlatformBuilder.AllRoles,
        [
            new("Gateway:Mqtt:Port", "0"), new("Http:Port", "0"), new("Logging:Level", "Warning"),
            .. settings.Select(one => one.Split('=', 2))
                .Select(pair => KeyValuePair.Create<string, string?>(pair[0], pair[1])),
        ], null);
        Decorate<IEventLog>(builder.Services, log => new TimedLog(log));
        Decorate<ITelemetryStore>(builder.Services, TimedRows.Of);
        return builder.Build();
    }

    private static void Decorate<T>(IServiceCollection services, Func<T, T> around) where T : class
    {
        var inner = services.Last(one => one.ServiceType == typeof(T)).ImplementationFactory!;
        services.AddSingleton(s => around((T)inner(s)));
    }

    private static async Task RoundAsync(
        AlertLoad load, TimedLog log, TimedRows rows, List<SeenAlert> seen, AlertResult result)
    {
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var (stored, started) = (rows.Written, Stopwatch.GetTimestamp());
        var rate = await load.RunAsync(perSecond: 0);
        var spent = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        var each = spent.TotalMicroseconds / (rate * AlertLoad.RoundTime.TotalSeconds);
        await StoredAsync(load, rows);
        var taken = (rows.Written - stored) / Stopwatch.GetElapsedTime(started).TotalSeconds;
        result.Saturated(rate, each, taken);
        await RestAsync();
        lock (seen) seen.Clear();
        log.Forget();
        rows.Forget();
        cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var cores = new MachineCores();
        using var syncs = new SyncTimes();
        var held = await load.RunAsync(Math.Min(rate, taken) / 2);
        result.Syncs(syncs.Count / AlertLoad.RoundTime.TotalSeconds, syncs.MeanMs);
        spent = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        result.Held(held, spent / AlertLoad.RoundTime / Environment.ProcessorCount, cores.Busy);
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        lock (seen) result.Alerts(seen, log);
        await StoredAsync(load, rows);
        result.Rows(rows.Milliseconds());
    }

    /// <summary>Until servers have done what they put off, such as compaction, or a minute has passed.</summary>
    private static async Task RestAsync()
    {
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < RestMax;)
        {
            var cores = new MachineCores();
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            if (cores.Busy < BusyAtRest) return;
        }
    }

    private static Task StoredAsync(AlertLoad load, TimedRows rows) => Eventually.TrueAsync(
        () => rows.Written == load.Sent, "all rows are stored", StoredTimeout);

    private static async Task<AlertLoad> ConnectAsync(WebApplication app)
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

        return new AlertLoad(publishers);
    }

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
