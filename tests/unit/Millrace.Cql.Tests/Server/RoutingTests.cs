using System.Collections.Concurrent;
using Millrace.Cql.Wire;
using Millrace.TestKit;

namespace Millrace.Cql.Tests.Server;

/// <summary>Which node a statement goes to, of several data centres, racks and tokens.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class RoutingTests
{
    private const long Quarter = 5_000_000_000_000_000_000;
    private const int Rounds = 8;
    private static readonly CqlType Text = new(CqlTypeCode.Text);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // Keys, and who of three nodes owns the tokens that Cassandra gave for them (Murmur3Tests has the tokens).
    private static readonly (string Key, int Owner)[] Keys =
    [
        ("a", 0), ("0123456789abcde", 0), ("0123456789abcdef", 0), ("größer als ein Block, mit Umlauten", 1),
        ("0123456789abcdef0", 1), ("device-1", 2), ("ÿÿÿÿÿÿÿÿÿ", 2),
    ];

    private readonly ConcurrentQueue<(FakeServer Node, Opcode Opcode)> _requests = new();

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_statement_and_a_batch_go_to_the_replica_of_their_token(bool batches)
    {
        var opcode = batches ? Opcode.Batch : Opcode.Execute;
        await using var nodes = new Nodes(this, replicas: 1, ("dc1", "r1"), ("dc1", "r1"), ("dc1", "r2"));
        await using var session = await nodes.ConnectAsync();
        var insert = await session.PrepareAsync("INSERT INTO ks.t (id) VALUES (?)");

        foreach (var (key, owner) in Keys)
        {
            _requests.Clear();
            for (var i = 0; i < Rounds; i++)
                await session.ExecuteAsync(batches
                    ? BatchStatement.Rent().Add(insert.Bind(key)).Add(insert.Bind(key))
                    : insert.Bind(key));

            Assert.That(_requests, Has.Count.EqualTo(Rounds));
            Assert.That(_requests, Is.All.EqualTo((nodes[owner], opcode)), key);
        }
    }

    [Test]
    public async Task Nodes_of_another_data_centre_get_no_connection()
    {
        await using var nodes = new Nodes(this, replicas: 1, ("dc1", "r1"), ("dc1", "r1"), ("dc2", "r1"));
        await using var session = await nodes.ConnectAsync();

        await ExecuteAllAsync(session);

        Assert.That(NodesThatExecuted(), Is.EquivalentTo(new[] { nodes[0], nodes[1] }));
        Assert.That(nodes[2].Connections, Is.Empty);
        Assert.That(session.Nodes, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_contact_point_of_another_data_centre_only_tells_of_the_nodes()
    {
        await using var nodes = new Nodes(this, replicas: 1, ("dc2", "r1"), ("dc1", "r1"), ("dc1", "r1"));
        await using var session = await nodes.ConnectAsync(o => o.LocalDatacenter = "dc1");

        await ExecuteAllAsync(session);

        Assert.That(session.Datacenter, Is.EqualTo("dc1"));
        Assert.That(NodesThatExecuted(), Is.EquivalentTo(new[] { nodes[1], nodes[2] }));
        Assert.That(nodes[0].Connections.Select(connection => connection.IsControl), Is.EqualTo([true]));
    }

    [Test]
    public async Task Replicas_of_the_own_rack_are_asked_as_long_as_one_is_up_and_the_others_then()
    {
        await using var nodes = new Nodes(this, replicas: 3, ("dc1", "r1"), ("dc1", "r2"), ("dc1", "r3"));
        await using var session = await nodes.ConnectAsync(o => o.LocalRack = "r2");

        await ExecuteAllAsync(session);
        Assert.That(NodesThatExecuted(), Is.EqualTo([nodes[1]]));

        nodes[1].Fail();
        await Eventually.TrueAsync(() => session.Nodes.Count(node => node.IsUp) == 2, "it is seen to be down");
        _requests.Clear();
        await ExecuteAllAsync(session);
        Assert.That(NodesThatExecuted(), Is.EquivalentTo(new[] { nodes[0], nodes[2] }));
    }

    [Test]
    public async Task Several_connections_to_a_node_are_opened_and_share_the_requests()
    {
        const int connections = 3;
        var held = new ConcurrentQueue<(FakeConnection Connection, FakeRequest Request)>();
        await using var server = new FakeServer((c, r) =>
        {
            held.Enqueue((c, r));
            return Task.CompletedTask;
        });
        await using var session = await server.ConnectAsync(
            o => (o.ConnectionsPerNode, o.RequestTimeout) = (connections, Patience));

        // The first is open by now; the others follow.
        var shares = new List<int>();
        await Eventually.TrueAsync(async () =>
        {
            held.Clear();
            var requests = Enumerable.Range(0, 2 * connections)
                .Select(_ => session.ExecuteAsync("SELECT id FROM ks.t").AsTask()).ToList();
            await Eventually.TrueAsync(() => held.Count == requests.Count, "all are under way");
            foreach (var (connection, request) in held) await connection.VoidAsync(request);
            await Task.WhenAll(requests);
            shares = [.. held.GroupBy(one => one.Connection).Select(group => group.Count())];
            return shares.Count == connections;
        }, "all are used");

        Assert.That(shares, Is.All.EqualTo(2));
        Assert.That(server.Connections.Count(connection => !connection.IsControl), Is.EqualTo(connections));
    }

    private static async Task ExecuteAllAsync(CqlSession session)
    {
        var insert = await session.PrepareAsync("INSERT INTO ks.t (id) VALUES (?)");
        for (var i = 0; i < Rounds; i++)
        {
            foreach (var (key, _) in Keys) await session.ExecuteAsync(insert.Bind(key));
        }
    }

    private IEnumerable<FakeServer> NodesThatExecuted() => _requests.Select(request => request.Node).Distinct();

    private Task AnswerAsync(FakeServer node, FakeConnection connection, FakeRequest request)
    {
        if (request.Opcode == Opcode.Prepare)
            return connection.ReplyAsync(request, Opcode.Result, RingRows.Prepared([7], ("id", Text)));
        if (request.Opcode != Opcode.Options) _requests.Enqueue((node, request.Opcode));
        return connection.VoidAsync(request);
    }

    /// <summary>Nodes that know each other; the first is the contact point.</summary>
    private sealed class Nodes : IAsyncDisposable
    {
        private readonly List<FakeServer> _all = [];

        public Nodes(RoutingTests test, int replicas, params (string Datacenter, string Rack)[] places)
        {
            var replication = places.Select(place => place.Datacenter).Distinct()
                .ToDictionary(datacenter => datacenter, _ => $"{replicas}");
            replication["class"] = "NetworkTopologyStrategy";
            foreach (var (datacenter, rack) in places)
            {
                FakeServer? self = null;
                self = new FakeServer((connection, request) => test.AnswerAsync(self!, connection, request))
                {
                    Datacenter = datacenter,
                    Rack = rack,
                    Tokens = [(_all.Count - 1) * Quarter],
                    Replication = replication,
                };
                _all.Add(self);
            }

            _all[0].Peers.AddRange(_all[1..]);
        }

        public FakeServer this[int number] => _all[number];

        public async Task<CqlSession> ConnectAsync(Action<CqlOptions>? change = null)
        {
            var session = await _all[0].ConnectAsync(change);
            var local = session.Nodes.Where(node => node.Datacenter == session.Datacenter).ToList();
            await Eventually.TrueAsync(() => local.TrueForAll(node => node.IsUp), "all of the data centre are up");
            return session;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var node in _all) await node.DisposeAsync();
        }
    }
}
