using System.Collections;
using System.Net;
using Millrace.Cql.Cluster;
using Millrace.Cql.Connections;
using Millrace.Cql.Protocol;
using Millrace.Cql.Requests;
using Millrace.Cql.Tests.Server;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Cluster;

public class TokenRingTests
{
    private static readonly Connector Connector = new(new CqlOptions());

    // Two data centres; the first has nodes 1, 2 in rack a and 3, 4 in rack b.
    private readonly CqlNode[] _nodes =
    [
        Node(1, "dc1", "a"), Node(2, "dc1", "a"), Node(3, "dc1", "b"), Node(4, "dc1", "b"), Node(5, "dc2", "a"),
        Node(6, "dc2", "a"),
    ];

    [Test]
    public void A_token_belongs_to_the_next_node_of_the_ring()
    {
        var ring = Ring("SimpleStrategy", ("replication_factor", "1"));

        Assert.That(Names(ring, 100), Is.EqualTo(new[] { 1 }), "a node owns up to and with its own token");
        Assert.That(Names(ring, 101), Is.EqualTo(new[] { 2 }));
        Assert.That(Names(ring, long.MinValue), Is.EqualTo(new[] { 1 }));
        Assert.That(Names(ring, 401), Is.Empty, "node 5 is in the other data centre");
        Assert.That(Names(ring, 601), Is.EqualTo(new[] { 1 }), "past the last it begins anew");
    }

    [Test]
    public void Replicas_of_a_data_centre_lie_in_different_racks_as_long_as_there_are_any()
    {
        var two = Ring("org.apache.cassandra.locator.NetworkTopologyStrategy", ("dc1", "2"), ("dc2", "1"));
        var three = Ring("NetworkTopologyStrategy", ("dc1", "3/1"));

        Assert.That(Names(two, 50), Is.EqualTo(new[] { 1, 3 }), "node 2 is in the rack of node 1");
        Assert.That(Names(two, 150), Is.EqualTo(new[] { 2, 3 }));
        Assert.That(Names(two, 350), Is.EqualTo(new[] { 4, 1 }));
        Assert.That(Names(three, 50), Is.EqualTo(new[] { 1, 3, 2 }), "then those that were passed over");
    }

    [Test]
    public void The_own_rack_comes_first()
    {
        var ring = Ring("NetworkTopologyStrategy", "b", ("dc1", "3"));

        var replicas = ring.Find("ks", 50);
        Assert.That(replicas.Nodes.Select(Name), Is.EqualTo(new[] { 3, 1, 2 }));
        Assert.That(replicas.InRack, Is.EqualTo(1));
    }

    [Test]
    public void An_unknown_keyspace_and_an_empty_ring_have_no_replicas()
    {
        Assert.That(Ring("SimpleStrategy", ("replication_factor", "1")).Find("other", 1).Nodes, Is.Empty);
        Assert.That(ClusterView.Empty.Ring.Find("ks", 1).Nodes, Is.Empty);
        Assert.That(Names(Ring("LocalStrategy"), 1), Is.Empty);
    }

    [Test]
    public void A_plan_names_each_node_of_the_data_centre_once_and_replicas_first()
    {
        var ring = Ring("NetworkTopologyStrategy", ("dc1", "2"));
        var view = new ClusterView(_nodes, _nodes[..4], "dc1", ring);
        var replicas = ring.Find("ks", 50);
        var firsts = new HashSet<int>();
        for (uint turn = 0; turn < 8; turn++)
        {
            var plan = new QueryPlan(view, replicas, turn);
            var order = new List<int>();
            while (plan.Next() is { } node) order.Add(Name(node));

            Assert.That(order, Is.EquivalentTo(new[] { 1, 2, 3, 4 }));
            Assert.That(order[..2], Is.EquivalentTo(new[] { 1, 3 }));
            firsts.Add(order[0]);
        }

        Assert.That(firsts, Is.EquivalentTo(new[] { 1, 3 }), "replicas take turns");
    }

    [Test]
    public async Task A_plan_goes_on_to_the_other_replica_although_the_first_is_the_busier_by_then()
    {
        await using var server = new FakeServer((_, request) => request.Opcode == Opcode.Options
            ? Task.CompletedTask
            : throw new InvalidOperationException($"{request.Opcode} was not asked for."));
        var options = new CqlOptions();
        await using var pool = new NodePool(server.EndPoint, new Connector(options));
        await pool.StartAsync();
        var busier = new CqlNode(new NodeRow(Guid.NewGuid(), server.EndPoint, "dc1", "a", []), pool);
        var view = new ClusterView([busier, _nodes[1]], [busier, _nodes[1]], "dc1", ClusterView.Empty.Ring);
        var plan = new QueryPlan(view, new Replicas([busier, _nodes[1]], 2), turn: 0);

        Assert.That(plan.Next(), Is.SameAs(busier));
        var held = pool.Pick()!.CallAsync(Message.Options, options.RequestTimeout);
        Assert.That(pool.InFlight, Is.EqualTo(1));
        Assert.That(plan.Next(), Is.SameAs(_nodes[1]));
        Assert.That(plan.Next(), Is.Null);
        await pool.DisposeAsync();
        Assert.That(async () => await held, Throws.TypeOf<CqlException>());
    }

    [Test]
    public void More_replicas_than_nodes_are_not_looked_for_round_the_whole_ring()
    {
        var owners = new CountedOwners([.. Enumerable.Range(0, 600).Select(token => _nodes[token % 2])]);
        var sizes = new Dictionary<string, DatacenterSize> { ["dc1"] = new(Nodes: 2, Racks: 1) };
        foreach (var (strategy, factor) in new[] { ("NetworkTopologyStrategy", "dc1"), ("SimpleStrategy", "") })
        {
            var replication = new Replication(new Dictionary<string, string>
            {
                ["class"] = strategy,
                [factor.Length > 0 ? factor : "replication_factor"] = "3",
            });
            Assert.That(replication.Replicas(owners, 7, sizes).Select(Name), Is.EqualTo(new[] { 2, 1 }));
        }

        var gone = new Replication(
            new Dictionary<string, string> { ["class"] = "NetworkTopologyStrategy", ["dc1"] = "1", ["dc9"] = "3" });
        Assert.That(gone.Replicas(owners, 7, sizes).Select(Name), Is.EqualTo(new[] { 2 }));
        Assert.That(owners.Reads, Is.LessThan(10));
    }

    private static CqlNode Node(byte name, string datacenter, string rack)
    {
        var endPoint = new IPEndPoint(new IPAddress([127, 0, 0, name]), 9042);
        var row = new NodeRow(new Guid(name, 0, 0, new byte[8]), endPoint, datacenter, rack, []);
        return new CqlNode(row, new NodePool(endPoint, Connector));
    }

    private static int Name(CqlNode node) => node.EndPoint.Address.GetAddressBytes()[3];

    private static IEnumerable<int> Names(TokenRing ring, long token) => ring.Find("ks", token).Nodes.Select(Name);

    private TokenRing Ring(string strategy, params (string Key, string Value)[] options) =>
        Ring(strategy, null, options);

    private TokenRing Ring(string strategy, string? rack, params (string Key, string Value)[] options)
    {
        var map = options.ToDictionary(o => o.Key, o => o.Value);
        map["class"] = strategy;
        var keyspaces = new Dictionary<string, Replication> { ["ks"] = new(map) };
        return new TokenRing([.. _nodes.Select((node, i) => (node, new[] { (i + 1) * 100L }))], keyspaces, "dc1", rack);
    }

    private sealed class CountedOwners(CqlNode[] owners) : IReadOnlyList<CqlNode>
    {
        public int Reads { get; private set; }

        public int Count => owners.Length;

        public CqlNode this[int index]
        {
            get
            {
                Reads++;
                return owners[index];
            }
        }

        public IEnumerator<CqlNode> GetEnumerator() => owners.AsEnumerable().GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
