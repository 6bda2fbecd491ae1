using System.Diagnostics;
using Millrace.Contracts;
using Millrace.Integration.Tests.Survival;
using Millrace.Stores;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Integration.Tests.Cassandra;

/// <summary>
/// The warm writer on three nodes with three copies, while what can go wrong with them does. After each the stores must
/// have every row of the log once, and of each device the latest value and position.
/// </summary>
[Category("Faults")]
public partial class WarmWriterFaultTests
{
    private const int Nodes = 3;
    private const int BacklogRounds = 400;

    // A node that joined stays: the others come before it.
    private const int OnThree = 1, OnFour = 2;

    private IServerSet _set = null!;
    private WarmLog _log = null!;
    private WarmWriterRun _reader = null!;
    private WarmWriterRun _writer = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        // When two die at once, what they had acknowledged last must not die with them.
        var set = await ServerSets.StartAsync("cassandra", Nodes, java: CassandraServers.SyncBeforeAck);
        if (set is null) Assert.Ignore(ServerSets.Missing("Cassandra"));
        _set = set!;
        _log = new WarmLog();
        _reader = new WarmWriterRun(_log, _set);
        await RestartWriterAsync();
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        if (_set is null) return;
        await _writer.DisposeAsync();
        await _reader.DisposeAsync();
        await _log.DisposeAsync();
        await _set.DisposeAsync();
    }

    [Test, Order(OnThree)]
    public Task A_node_is_killed() => UnderLoadAsync("killed", async () =>
    {
        await _set.KillAsync(2);
        await DownAsync(2);
        await StoredSoFarAsync("with two nodes");
        await _set.StartAsync(2);
        await UpAsync(2);
    });

    [Test, Order(OnThree)]
    public Task A_node_hangs() => UnderLoadAsync("hung", async () =>
    {
        await _set.PauseAsync(3);
        await DownAsync(3);
        await StoredSoFarAsync("with two nodes");
        await _set.ResumeAsync(3);
        await UpAsync(3);
    });

    [Test, Order(OnThree)]
    public Task All_nodes_are_restarted_in_turn() => UnderLoadAsync("restarted", async () =>
    {
        for (var node = 1; node <= Nodes; node++)
        {
            await _set.KillAsync(node);
            await DownAsync(node);
            await _set.StartAsync(node);
            await UpAsync(node);
            await AllAnswerAsync();
        }
    });

    [Test, Order(OnThree)]
    public Task Two_nodes_are_down_and_then_nobody_answers() => UnderLoadAsync("away", async () =>
    {
        await _set.KillAsync(2);
        await _set.KillAsync(3);
        await Eventually.TrueAsync(async () => await PositionsAsync() is null, "the store is away", Patience);

        // What was stored before is committed within a second.
        await GoOnAsync(TimeSpan.FromSeconds(2));
        var committed = await _log.CommittedAsync();
        await _set.PauseAsync(1);
        await GoOnAsync(TimeSpan.FromSeconds(4));
        await _set.ResumeAsync(1);
        Assert.That(await _log.CommittedAsync(), Is.EqualTo(committed), "nothing is stored by one node of three");
        await _set.StartAsync(2);
        await _set.StartAsync(3);
        await UpAsync(2);
        await UpAsync(3);
    });

    [Test, Order(OnThree)]
    public Task The_schema_is_changed() => UnderLoadAsync("changed", async () =>
    {
        var session = await _reader.SessionAsync();
        foreach (var table in new[] { "telemetry", "telemetry_latest", "positions_by_area", "positions" })
        {
            await session.ExecuteAsync($"ALTER TABLE {table} ADD note text");
            Assert.That(await session.WaitForSchemaAgreementAsync(), Is.True);
        }
    });

    [Test, Order(OnThree)]
    public Task A_node_is_slow() => UnderLoadAsync("slowed", async () =>
    {
        using var stop = new CancellationTokenSource();
        var slow = _set.SlowAsync(1, stop.Token);
        try
        {
            await GoOnAsync(TimeSpan.FromSeconds(5));
            await StoredSoFarAsync("with a slow node");
        }
        finally
        {
            await stop.CancelAsync();
            await slow;
        }
    });

    [Test, Order(OnFour)]
    public Task A_node_joins() => UnderLoadAsync("joined", async () =>
    {
        var number = await _set.JoinAsync();
        var session = await _writer.SessionAsync();
        await Eventually.TrueAsync(() => session.Nodes.Count(node => node.IsUp) == number, "it is used", Patience);
    });

    [Test, Order(OnThree)]
    public Task Writers_have_clocks_that_are_hours_apart() => UnderLoadAsync("skewed", async () =>
    {
        // All three write each row, one behind the other as it comes, and then what is long stored.
        await using var fast = new WarmWriterRun(_log, _set, Shifted(3));
        await using var slow = new WarmWriterRun(_log, _set, Shifted(-3));
        var begin = await _log.EndsAsync();
        await fast.StartAsync();
        await slow.StartAsync();
        await GoOnAsync(TimeSpan.FromSeconds(5));
        await StoredSoFarAsync("by three writers");
        var stored = await Patient.AskAsync(AllPositionsAsync);
        foreach (var partition in WarmLog.Telemetry)
        {
            var (rows, next) = await _log.ReadAsync(partition, begin[partition.Partition]);
            await WriteAsync(fast, partition, rows, next);
            await WriteAsync(slow, partition, rows, next);
        }

        var after = await Patient.AskAsync(AllPositionsAsync);
        Assert.That(after.Zip(stored, (one, other) => one - other), Is.All.Not.Negative, "positions do not go back");
    });

    [Test, Order(OnThree)]
    public Task The_session_is_disposed_in_mid_batch() => UnderLoadAsync("disposed", async () =>
    {
        for (var i = 0; i < 3; i++)
        {
            await _writer.CutAsync();
            await RestartWriterAsync();
            await StoredSoFarAsync("by the next writer");
        }
    });

    [Test, Order(OnThree)]
    public async Task The_process_is_killed_in_mid_batch()
    {
        var watch = Stopwatch.StartNew();
        var fleet = NextFleet("process");
        await _writer.DisposeAsync();
        for (var round = 0; round < BacklogRounds; round++) await fleet.AppendAsync(_log);
        var end = (await _log.EndsAsync()).Sum();
        await _log.CloseAsync();
        try
        {
            await WriteByProcessesAsync(end);
        }
        finally
        {
            _log.Open();
            _writer = new WarmWriterRun(_log, _set);
            await _writer.StartAsync();
        }

        await IsStoredOnceAsync(fleet, watch);
    }

    private static Task WriteAsync(
        WarmWriterRun writer, TopicPartition partition, List<TelemetryMessage> rows, long next) =>
        Patient.AskAsync(async () =>
        {
            await writer.Telemetry.WriteAsync(partition, rows, new SinkPosition(next));
            return true;
        });

    /// <summary>Processes of the platform write the log, one after the other; all but the last are killed.</summary>
    private async Task WriteByProcessesAsync(long end)
    {
        var settings = WarmWriterRun.Settings(_set).Append(new("StreamProcessor:WarmRowsMax", "200"));
        await using var process = new PlatformProcess(_log.Folder, [.. settings.Select(one => (one.Key, one.Value))]);
        for (var kills = 0; kills < 3; kills++)
        {
            var before = await StoredAsync();
            process.LaunchRoles("stream-processor");
            await Eventually.TrueAsync(async () => await StoredAsync() > before, () => process.Printed, Patience);
            await process.KillAsync();
            var left = end - await StoredAsync();
            TestContext.Out.WriteLine($"killed with {left} rows to go");
            Assert.That(left, Is.Positive, "it was killed while it wrote");
        }

        process.LaunchRoles("stream-processor");
        await Eventually.TrueAsync(async () => await StoredAsync() == end, () => process.Printed, Patience);
        Assert.That(await process.TerminateAsync(TimeSpan.FromSeconds(60)), Is.Zero, process.Printed);

        async Task<long> StoredAsync() => (await PositionsAsync())?.Sum() ?? 0;
    }
}
