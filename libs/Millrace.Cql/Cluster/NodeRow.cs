using System.Net;

namespace Millrace.Cql.Cluster;

/// <summary>What system.local or system.peers_v2 tells of a node.</summary>
internal sealed record NodeRow(
    Guid HostId, IPEndPoint EndPoint, string Datacenter, string Rack, long[] Tokens);
