using System.Net;
using Millrace.Cql.Cluster;

namespace Millrace.Cql;

/// <summary>A node of the cluster, as the session sees it.</summary>
public sealed class CqlNode
{
    internal CqlNode(NodeRow row, NodePool pool)
    {
        (HostId, EndPoint, Datacenter, Rack) = (row.HostId, row.EndPoint, row.Datacenter, row.Rack);
        (Pool, Address, Port) = (pool, row.EndPoint.Address.ToString(), row.EndPoint.Port);
    }

    public Guid HostId { get; }

    public IPEndPoint EndPoint { get; }

    /// <summary>The address as text, for spans and metrics.</summary>
    internal string Address { get; }

    /// <summary>The port, an object already, for spans and metrics.</summary>
    internal object Port { get; }

    public string Datacenter { get; }

    public string Rack { get; }

    /// <summary>Whether the session has a connection to it.</summary>
    public bool IsUp => Pool.IsUp;

    /// <summary>Requests under way.</summary>
    public int InFlight => Pool.InFlight;

    internal NodePool Pool { get; }

    public override string ToString() => $"{EndPoint} ({Datacenter}/{Rack})";
}
