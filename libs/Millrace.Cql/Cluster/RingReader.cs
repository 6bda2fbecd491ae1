using System.Globalization;
using System.Net;
using Millrace.Cql.Connections;
using Millrace.Cql.Protocol;

namespace Millrace.Cql.Cluster;

/// <summary>Reads nodes, tokens, keyspaces and schema versions from a node's system tables.</summary>
internal static class RingReader
{
    private const string LocalQuery =
        "SELECT host_id, rpc_address, data_center, rack, tokens FROM system.local";

    private const string PeersQuery =
        "SELECT host_id, native_address, native_port, data_center, rack, tokens FROM system.peers_v2";

    private const string OldPeersQuery =
        "SELECT host_id, rpc_address, data_center, rack, tokens FROM system.peers";

    private const string VersionQuery = "SELECT schema_version FROM system.local";

    private const string KeyspacesQuery = "SELECT keyspace_name, replication FROM system_schema.keyspaces";

    /// <summary>All nodes; the one that is asked comes first.</summary>
    public static async Task<List<NodeRow>> ReadNodesAsync(Connection connection, CqlOptions options)
    {
        var local = await ReadAsync(connection, LocalQuery, options).ConfigureAwait(false);
        var peers = await ReadPeersAsync(connection, options).ConfigureAwait(false);
        if (local.Count == 0) throw CqlErrors.ProtocolViolated.With("a node without system.local").AsCql();
        var nodes = new List<NodeRow> { ToNode(local[0], OwnAddress(local[0])) };
        foreach (var row in peers)
        {
            if (AddressOf(row) is { } endPoint && !row.IsNull(0)) nodes.Add(ToNode(row, endPoint));
        }

        return nodes;

        // By the address that other nodes tell of it too, unless it listens on any.
        IPEndPoint OwnAddress(Row row) => row.Get<IPAddress?>(1) is { } address
            && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)
            ? new IPEndPoint(address, connection.EndPoint.Port)
            : connection.EndPoint;

        IPEndPoint? AddressOf(Row row)
        {
            var isNew = peers.Columns[1].Name == "native_address";
            var address = row.Get<IPAddress?>(1);
            return address is null ? null : new IPEndPoint(address, isNew ? row.Get<int>(2) : connection.EndPoint.Port);
        }
    }

    public static async Task<Dictionary<string, Replication>> ReadKeyspacesAsync(
        Connection connection, CqlOptions options)
    {
        var rows = await ReadAsync(connection, KeyspacesQuery, options).ConfigureAwait(false);
        return rows.ToDictionary(
            row => row.Get<string>(0), row => new Replication(row.Get<Dictionary<string, string>>(1)));
    }

    public static async Task<Guid?> ReadSchemaVersionAsync(Connection connection, CqlOptions options)
    {
        var rows = await ReadAsync(connection, VersionQuery, options).ConfigureAwait(false);
        return rows.Count == 0 ? null : rows[0].Get<Guid?>(0);
    }

    private static async Task<RowSet> ReadPeersAsync(Connection connection, CqlOptions options)
    {
        try
        {
            return await ReadAsync(connection, PeersQuery, options).ConfigureAwait(false);
        }
        catch (CqlServerException e) when (e.ServerCode == ServerErrorCode.Invalid)
        {
            // Before Cassandra 4 there was no peers_v2.
            return await ReadAsync(connection, OldPeersQuery, options).ConfigureAwait(false);
        }
    }

    private static async Task<RowSet> ReadAsync(Connection connection, string query, CqlOptions options)
    {
        var reply = await connection.CallAsync(Message.Query(query), options.RequestTimeout).ConfigureAwait(false);
        return reply.Rows();
    }

    private static NodeRow ToNode(Row row, IPEndPoint endPoint) => new(
        row.Get<Guid>("host_id"), endPoint, row.Get<string?>("data_center") ?? "", row.Get<string?>("rack") ?? "",
        [.. (row.Get<HashSet<string>?>("tokens") ?? [])
            .Select(token => long.Parse(token, CultureInfo.InvariantCulture))]);
}
