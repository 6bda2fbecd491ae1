using System.Text;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog.Kafka;
using Millrace.Integration.Tests.Cluster;
using Millrace.Integration.Tests.Host;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;
using Millrace.TestKit.Network;
using Millrace.TestKit.Servers;

namespace Millrace.Integration.Tests.Archive;

/// <summary>
/// Archivers as processes between real brokers and a real S3 store, the way to which can be slow. They merge all the
/// time and take out what is old; the test itself appends telemetry, of all ages, and records that cannot be archived.
/// </summary>
internal sealed class ArchiveHub : IAsyncDisposable
{
    private const string Device = "a-device", Others = "others", OtherRoles = "stream-processor,cold-path";
    private const int Partitions = 4, Devices = 12;
    private static readonly TopicPartition Letters = new(Topics.DeadLetter, 0);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly (string, string)[] Busy =
    [
        ("ObjectStore:S3:RequestTimeout", "2s"), ("ObjectStore:S3:RetriesMax", "1"), ("Archiver:RollAge", "200ms"),
        ("Archiver:RestartDelay", "100ms"),
        ("Archiver:Upkeep:UpkeepInterval", "300ms"), ("Archiver:Upkeep:CompactionFilesMin", "2"),
        ("Archiver:Upkeep:CompactionAfter", "1s"), ("Archiver:Upkeep:ArchiveRetention", "2d"),
        ("Delta:CheckpointInterval", "5"),
    ];

    private readonly RoleSet _roles;
    private readonly S3Servers _store;
    private readonly KafkaLog _log;
    private readonly Random _random;
    private int _sent;
    private volatile bool _isSilent;

    private ArchiveHub(RoleSet roles, S3Servers store, KafkaLog log, int seed)
    {
        (_roles, _store, _log, _random) = (roles, store, log, new Random(seed));
        var endpoint = new Uri(store.Endpoint);
        Way = new BreakableProxy(endpoint.Host, endpoint.Port);
    }

    /// <summary>Between the archivers and the store.</summary>
    public BreakableProxy Way { get; }

    public PlatformProcess this[string archiver] => _roles[archiver];

    /// <summary>The test is skipped when there are no servers.</summary>
    public static async Task<ArchiveHub> StartAsync(int seed, params string[] archivers)
    {
        var roles = await RoleSet.CreateAsync();
        var (store, reason) = await S3Servers.FindAsync();
        if (store is null)
        {
            await roles.DisposeAsync();
            Assert.Ignore(reason);
        }

        var hub = new ArchiveHub(roles, store!, await roles.OpenLogAsync(), seed);
        var slowly = hub.Settings($"http://127.0.0.1:{hub.Way.Port}");
        await Task.WhenAll([
            roles.StartAsync(Others, OtherRoles, hub.Settings(store!.Endpoint)),
            .. archivers.Select(name => roles.StartAsync(name, "archiver", slowly)),
        ]);
        return hub;
    }

    /// <summary>Appends telemetry while the trouble lasts, and waits until all of it is archived.</summary>
    public async Task UnderLoadAsync(Func<Task> trouble)
    {
        using var stop = new CancellationTokenSource();
        var load = LoadAsync(stop.Token);
        try
        {
            await trouble();
        }
        finally
        {
            await stop.CancelAsync();
            await load;
        }

        await Eventually.TrueAsync(
            async () => (await PositionsAsync()).All(p => p.Archived == p.LogNext), "all is archived", Patience);
        await Eventually.TrueAsync(
            async () => ((await _log.CommittedAsync("dead-letter-writer", Letters))?.NextOffset ?? 0)
                == (await _log.RangeAsync(Letters)).Next,
            "the dead letters are in their store", Patience);
    }

    /// <summary>Asks the archiver to erase one of the devices, which is silent from then on.</summary>
    public async Task EraseAsync(string archiver)
    {
        _isSilent = true;
        var (code, _, error) = await OnAsync(archiver, "archive", "erase", Device);
        Assert.That(code, Is.Zero, error);
    }

    /// <summary>How far the table is and the log, by partition.</summary>
    public async Task<IReadOnlyList<(long Archived, long LogNext)>> PositionsAsync(string archiver = "archiver-1")
    {
        using var info = JsonDocument.Parse(await this[archiver].Api.GetStringAsync("api/v1/archive"));
        return [.. info.RootElement.GetProperty("partitions").EnumerateArray()
            .Select(p => (p.GetProperty("archived").GetInt64(), p.GetProperty("logNext").GetInt64()))];
    }

    /// <summary>Over all archivers, since they were started.</summary>
    public async Task<long> CountedAsync(string counter, params (string Name, string Value)[] labels)
    {
        var sum = 0L;
        foreach (var node in new[] { "archiver-1", "archiver-2" })
            sum += (await MetricsPage.ReadAsync(this[node].Api)).Sum($"millrace.archiver.{counter}", labels);
        return sum;
    }

    /// <summary>
    /// The archive is the log less what was retired, erased and dead-lettered: as the verb says, and by a count of
    /// rows.
    /// </summary>
    public async Task HoldsAsync()
    {
        var old = TimeProvider.System.GetUtcNow().AddDays(-2.5).ToString("O");
        await Eventually.TrueAsync(
            async () => await CountAsync($"SELECT count(*) AS n FROM telemetry WHERE enqueued_at < '{old}'")
                == "n\r\n0\r\n",
            "what is old is taken out", Patience);
        var verified = await OnAsync("archiver-1", "archive", "verify", "--output", "json");
        Assert.That(verified.ExitCode, Is.Zero, verified.Error);
        using var stretches = JsonDocument.Parse(verified.Output);
        long Sum(string name) => stretches.RootElement.EnumerateArray().Sum(s => s.GetProperty(name).GetInt64());
        Assert.That(Sum("logRecords"), Is.EqualTo(_sent), "all that was sent");
        foreach (var less in new[] { "retired", "deadLettered", "erased" })
            Assert.That(Sum(less), Is.GreaterThan(0), less);

        var rows = _sent - Sum("retired") - Sum("deadLettered") - Sum("erased");
        Assert.That(await CountAsync("SELECT count(*) AS n, count(DISTINCT log_offset * 10 + log_partition) AS places "
            + "FROM telemetry"), Is.EqualTo($"n,places\r\n{rows},{rows}\r\n"));
        TestContext.Out.WriteLine($"{_sent} records, {rows} rows, {Sum("retired")} retired, {Sum("erased")} erased, "
            + $"{Sum("deadLettered")} dead letters");
    }

    private async Task<string> CountAsync(string sql)
    {
        var (code, output, error) = await OnAsync(Others, "cold", "sql", sql, "--output", "csv");
        Assert.That(code, Is.Zero, error);
        return output;
    }

    public async ValueTask DisposeAsync()
    {
        await _log.DisposeAsync();
        await _roles.DisposeAsync();
        await Way.DisposeAsync();
        await _store.DisposeAsync();
    }

    private (string, string)[] Settings(string endpoint) =>
    [
        .. _store.Settings("hub-" + _roles.Topic("x").Split('.')[0]).Select(pair => (pair.Key, pair.Value!)),
        .. Busy, ("ObjectStore:S3:Endpoint", endpoint),
    ];

    private async Task LoadAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await SendAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None);
        }
    }

    private async Task SendAsync()
    {
        var number = _random.Next(Devices);
        if (number == 0 && _isSilent) return;
        var key = Encoding.UTF8.GetBytes(number == 0 ? Device : $"device-{number}");
        using var records = new RecordBatchBuilder();
        for (var left = _random.Next(1, 20); left > 0; left--)
        {
            var age = _random.Next(30) == 0 ? TimeSpan.FromDays(3) : TimeSpan.FromMinutes(_random.Next(90));
            var hasKey = _random.Next(200) > 0;
            records.Begin((TimeProvider.System.GetUtcNow() - age).ToUnixTimeMilliseconds(), hasKey ? key : [], hasKey);
            records.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
            records.End(Encoding.UTF8.GetBytes($$"""{"n":{{_sent++}}}"""));
        }

        await _log.AppendAsync(
            new TopicPartition(Topics.Telemetry, Partitioner.PartitionOf(key, Partitions)), records);
    }

    private Task<Command.Result> OnAsync(string node, params string[] verb) => Command.MillraceAsync([.. verb,
        "--server", $"http://127.0.0.1:{this[node].HttpPort}", "--token",
        this[node].Api.DefaultRequestHeaders.Authorization!.Parameter!]);
}
