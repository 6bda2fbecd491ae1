using System.Globalization;

namespace Millrace.Cql.Cluster;

/// <summary>How a keyspace's partitions are spread, as system_schema.keyspaces tells it.</summary>
internal sealed class Replication
{
    private const string ClassKey = "class";
    private const string FactorKey = "replication_factor";

    private readonly Dictionary<string, int> _byDatacenter = [];
    private readonly int _anywhere;

    public Replication(IReadOnlyDictionary<string, string> options)
    {
        Key = string.Join(';', options.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => $"{o.Key}={o.Value}"));
        var strategy = options.GetValueOrDefault(ClassKey, "");
        if (strategy.EndsWith("SimpleStrategy", StringComparison.Ordinal))
            _anywhere = Factor(options.GetValueOrDefault(FactorKey, "0"));
        else if (strategy.EndsWith("NetworkTopologyStrategy", StringComparison.Ordinal))
        {
            foreach (var (datacenter, factor) in options.Where(o => o.Key != ClassKey))
                _byDatacenter[datacenter] = Factor(factor);
        }
    }

    /// <summary>Equal for keyspaces that are spread alike.</summary>
    public string Key { get; }

    /// <summary>The replicas of the range that ends at <paramref name="range"/>, in the order of the ring.</summary>
    /// <param name="sizes">Of the data centres that there are: no more is looked for than they have.</param>
    public List<CqlNode> Replicas(
        IReadOnlyList<CqlNode> owners, int range, IReadOnlyDictionary<string, DatacenterSize> sizes)
    {
        var replicas = new List<CqlNode>();
        var anywhere = Math.Min(_anywhere, sizes.Values.Sum(size => size.Nodes));
        var places = _byDatacenter.Where(d => sizes.ContainsKey(d.Key)).ToDictionary(
            d => d.Key, d => new DatacenterPlaces(Math.Min(d.Value, sizes[d.Key].Nodes), sizes[d.Key].Racks));
        for (var step = 0; step < owners.Count; step++)
        {
            var node = owners[(range + step) % owners.Count];
            if (replicas.Contains(node)) continue;
            if (replicas.Count < anywhere) replicas.Add(node);
            else if (places.TryGetValue(node.Datacenter, out var datacenter)) datacenter.Offer(node, replicas);
            if (replicas.Count >= anywhere && places.Values.All(place => place.IsFull)) break;
        }

        return replicas;
    }

    // "3", or "3/1" where some replicas are transient.
    private static int Factor(string text) =>
        int.TryParse(text.Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var factor) ? factor : 0;

    /// <summary>A data centre's replicas go to different racks as long as there are any.</summary>
    private sealed class DatacenterPlaces(int wanted, int racks)
    {
        private readonly HashSet<string> _racksSeen = [];
        private readonly List<CqlNode> _passedOver = [];
        private int _left = wanted;

        public bool IsFull => _left <= 0;

        public void Offer(CqlNode node, List<CqlNode> replicas)
        {
            if (IsFull || _passedOver.Contains(node)) return;
            if (_racksSeen.Count < racks && !_racksSeen.Add(node.Rack))
            {
                _passedOver.Add(node);
                return;
            }

            Take(node, replicas);
            if (_racksSeen.Count < racks) return;
            foreach (var other in _passedOver.TakeWhile(_ => !IsFull)) Take(other, replicas);
            _passedOver.Clear();
        }

        private void Take(CqlNode node, List<CqlNode> replicas)
        {
            replicas.Add(node);
            _left--;
        }
    }
}

internal readonly record struct DatacenterSize(int Nodes, int Racks);
