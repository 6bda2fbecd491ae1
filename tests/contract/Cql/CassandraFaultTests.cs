using System.Diagnostics.Metrics;
using Millrace.Cql;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests.Cql;

/// <summary>Three real nodes, three replicas, writes at LOCAL_QUORUM, and nodes that die, hang and come back.</summary>
[Category("Faults")]
public partial class CassandraFaultTests
{
    private const int Nodes = 3;

    // A node that joined stays: the others come before it.
    private const int OnThree = 1, OnFour = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private IServerSet _set = null!;
    private CqlSession _session = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        // When two die at once, what they had acknowledged last must not die with them.
        var set = await ServerSets.StartAsync("cassandra", Nodes, java: CassandraServers.SyncBeforeAck);
        if (set is null) Assert.Ignore(ServerSets.Missing("Cassandra"));
        _set = set!;
        _session = await ConnectAsync();
        await _session.ExecuteAsync(
            "CREATE KEYSPACE faults WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}");
        await _session.ExecuteAsync(
            "CREATE KEYSPACE single WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
        await _session.ExecuteAsync("CREATE TABLE single.t (k int PRIMARY KEY)");
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        if (_session is not null) await _session.DisposeAsync();
        if (_set is not null) await _set.DisposeAsync();
    }

    [Test, Order(OnThree)]
    public async Task A_statement_goes_to_a_replica_of_its_partition()
    {
        if (_set is not EngineSet) Assert.Ignore("Containers know each other by other addresses than clients do.");

        // The coordinator that the trace names is the replica that the client has computed, which is the server's too.
        var select = await _session.PrepareAsync("SELECT k FROM single.t WHERE k = ?");
        var coordinators = new HashSet<System.Net.IPAddress>();
        for (var k = 0; k < 20; k++)
        {
            var bound = select.Bind(k);
            var replica = _session.ReplicasOf(bound).Single().EndPoint.Address;
            bound.Tracing = true;
            var id = (await _session.ExecuteAsync(bound)).TracingId;
            System.Net.IPAddress? coordinator = null;
            await Eventually.TrueAsync(async () =>
            {
                var rows = await _session.ExecuteAsync(new SimpleStatement(
                    "SELECT coordinator, duration FROM system_traces.sessions WHERE session_id = ?", id)
                { Consistency = Consistency.One });
                coordinator = rows.Count == 1 ? rows[0].Get<System.Net.IPAddress?>(0) : null;
                return coordinator is not null;
            }, "the trace is stored");
            Assert.That(coordinator, Is.EqualTo(replica));
            coordinators.Add(replica);

            // Only the replica was asked for data: nothing was forwarded.
            var sources = new List<System.Net.IPAddress>();
            await Eventually.TrueAsync(async () =>
            {
                var events = new SimpleStatement("SELECT source FROM system_traces.events WHERE session_id = ?", id);
                events.Consistency = Consistency.One;
                var rows = await _session.ExecuteAsync(events);
                sources.AddRange(rows.Select(row => row.Get<System.Net.IPAddress>(0)));
                return sources.Count > 0;
            }, "the events of the trace are stored");
            Assert.That(sources, Is.All.EqualTo(replica));
        }

        Assert.That(coordinators, Has.Count.EqualTo(Nodes));
    }

    [Test, Order(OnThree)]
    public Task A_node_that_is_killed_under_load_costs_no_acknowledged_write() => UnderLoadAsync("killed", async () =>
    {
        await _set.KillAsync(2);
        await Eventually.TrueAsync(() => !Node(2).IsUp, "it is seen to be down");
        await GoOnAsync(TimeSpan.FromSeconds(3));
        await _set.StartAsync(2);
        await Eventually.TrueAsync(() => Node(2).IsUp, "it is used again", Patience);
    });

    [Test, Order(OnThree)]
    public Task A_node_that_hangs_under_load_costs_no_acknowledged_write() => UnderLoadAsync("paused", async () =>
    {
        await _set.PauseAsync(3);
        await Eventually.TrueAsync(() => !Node(3).IsUp, "it is seen to be down");
        await GoOnAsync(TimeSpan.FromSeconds(3));
        await _set.ResumeAsync(3);
        await Eventually.TrueAsync(() => Node(3).IsUp, "it is used again", Patience);
    });

    [Test, Order(OnThree)]
    public Task Nodes_that_are_restarted_in_turn_under_load_cost_no_acknowledged_write() =>
        UnderLoadAsync("restarted", async () =>
        {
            for (var node = 1; node <= Nodes; node++)
            {
                await _set.KillAsync(node);
                await Eventually.TrueAsync(() => !Node(node).IsUp, $"node {node} is seen to be down");
                await _set.StartAsync(node);
                await Eventually.TrueAsync(() => Node(node).IsUp, $"node {node} is used again", Patience);
                await WaitForQuorumAsync();
            }
        });

    [Test, Order(OnThree)]
    public async Task The_schema_can_be_changed_during_writes_whose_statement_is_prepared_again()
    {
        var reprepared = 0L;
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "millrace.cql.reprepared") listener.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref reprepared, count));
        meters.Start();
        await UnderLoadAsync("changed", async () =>
        {
            for (var i = 0; i < 5; i++)
            {
                // Each node forgets the statements on a table whose columns have changed.
                var before = Volatile.Read(ref reprepared);
                await _session.ExecuteAsync($"ALTER TABLE faults.changed ADD extra{i} text");
                Assert.That(await _session.WaitForSchemaAgreementAsync(), Is.True);
                await Eventually.TrueAsync(
                    () => Volatile.Read(ref reprepared) > before, "the statement is prepared again", Patience);
            }
        });
    }

    [Test, Order(OnThree)]
    public Task With_two_nodes_down_writes_stop_and_go_on_by_themselves() => UnderLoadAsync(
        "two_down", async acknowledged =>
    {
        await _set.KillAsync(2);
        await _set.KillAsync(3);
        await Eventually.TrueAsync(() => !Node(2).IsUp && !Node(3).IsUp, "they are seen to be down");

        // What two replicas had when they died may still be acknowledged.
        await GoOnAsync(TimeSpan.FromSeconds(1));
        var before = acknowledged();
        await GoOnAsync(TimeSpan.FromSeconds(4));
        Assert.That(acknowledged(), Is.EqualTo(before), "writes have stopped");
        await _set.StartAsync(2);
        await _set.StartAsync(3);
        await Eventually.TrueAsync(() => Node(2).IsUp && Node(3).IsUp, "they are used again", Patience);
        await WaitForQuorumAsync();
    });

    [Test, Order(OnThree)]
    public Task A_node_that_is_slow_under_load_costs_no_acknowledged_write() => UnderLoadAsync("slowed", async () =>
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(8));
        await _set.SlowAsync(2, stop.Token);
    });

    [Test, Order(OnFour)]
    public Task A_node_that_joins_under_load_gets_its_share_of_the_writes() => UnderLoadAsync("joined", async () =>
    {
        var insert = await _session.PrepareAsync("INSERT INTO faults.joined (k, n) VALUES (?, ?)");
        var number = await _set.JoinAsync();
        await Eventually.TrueAsync(() => _session.Nodes.Count(node => node.IsUp) == number, "it is used", Patience);
        await Eventually.TrueAsync(() => Enumerable.Range(0, Writers).Any(
            k => _session.ReplicasOf(insert.Bind(k, 0)).Contains(Node(number))), "it is a replica", Patience);
    });

    private static Task GoOnAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);

    private Task<CqlSession> ConnectAsync(TimeProvider? time = null) => CqlSession.ConnectAsync(new CqlOptions
    {
        ContactPoints = _set.Variables["CASSANDRA_CONTACT_POINTS"].Split(','),
        Port = int.Parse(_set.Variables["CASSANDRA_PORT"]),
        TimeProvider = time ?? TimeProvider.System,
    });

    private CqlNode Node(int number) =>
        _session.Nodes.Single(node => node.EndPoint.Address.GetAddressBytes()[3] == number);

    /// <summary>Until the nodes see each other again, and not only the client them.</summary>
    private Task WaitForQuorumAsync() => Eventually.TrueAsync(async () =>
    {
        try
        {
            var statement = new SimpleStatement("SELECT k FROM faults.alive") { Consistency = Consistency.All };
            await _session.ExecuteAsync("CREATE TABLE IF NOT EXISTS faults.alive (k int PRIMARY KEY)");
            await _session.ExecuteAsync(statement);
            return true;
        }
        catch (CqlException)
        {
            return false;
        }
    }, "all replicas answer", Patience);
}
