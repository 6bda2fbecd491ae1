namespace Millrace.Cql.Cluster;

/// <summary>The cluster at one moment: all nodes, those of the own data centre, and who holds what.</summary>
internal sealed record ClusterView(CqlNode[] Nodes, CqlNode[] Local, string Datacenter, TokenRing Ring)
{
    public static readonly ClusterView Empty =
        new([], [], "", new TokenRing([], new Dictionary<string, Replication>(), "", null));
}
