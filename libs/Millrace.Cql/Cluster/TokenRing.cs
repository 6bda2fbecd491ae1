using System.Collections.Frozen;

namespace Millrace.Cql.Cluster;

/// <summary>The replicas of a range of tokens that may be asked, those of the own rack first.</summary>
internal sealed record Replicas(CqlNode[] Nodes, int InRack)
{
    public static readonly Replicas None = new([], 0);
}

/// <summary>Which nodes hold a token, by keyspace. Never changes: a change of the ring makes a new one.</summary>
internal sealed class TokenRing
{
    private readonly long[] _tokens;
    private readonly FrozenDictionary<string, Replicas[]> _byKeyspace;

    public TokenRing(
        IReadOnlyList<(CqlNode Node, long[] Tokens)> nodes, IReadOnlyDictionary<string, Replication> keyspaces,
        string datacenter, string? rack)
    {
        var ring = nodes.SelectMany(n => n.Tokens.Select(token => (token, n.Node))).OrderBy(r => r.token).ToList();
        _tokens = [.. ring.Select(r => r.token)];
        var owners = ring.Select(r => r.Node).ToList();
        var sizes = owners.Distinct().GroupBy(node => node.Datacenter).ToDictionary(
            d => d.Key, d => new DatacenterSize(d.Count(), d.Select(node => node.Rack).Distinct().Count()));
        var tables = keyspaces.Values.DistinctBy(k => k.Key).ToDictionary(k => k.Key, MakeTable);
        _byKeyspace = keyspaces.ToFrozenDictionary(k => k.Key, k => tables[k.Value.Key]);

        Replicas[] MakeTable(Replication replication) => [.. Enumerable.Range(0, owners.Count)
            .Select(range => Usable(replication.Replicas(owners, range, sizes), datacenter, rack))];
    }

    /// <summary>The replicas of a token in the own data centre; none when the keyspace is not known.</summary>
    public Replicas Find(string keyspace, long token)
    {
        if (_tokens.Length == 0 || !_byKeyspace.TryGetValue(keyspace, out var ranges)) return Replicas.None;

        // A node owns the tokens up to and with its own; past the last one the ring begins anew.
        var index = Array.BinarySearch(_tokens, token);
        if (index < 0) index = ~index;
        return ranges[index % ranges.Length];
    }

    private static Replicas Usable(List<CqlNode> replicas, string datacenter, string? rack)
    {
        var local = replicas.Where(node => node.Datacenter == datacenter).ToArray();
        CqlNode[] near = [.. local.Where(node => rack is null || node.Rack == rack)];
        return near.Length == 0
            ? new Replicas(local, local.Length)
            : new Replicas([.. near, .. local.Except(near)], near.Length);
    }
}
