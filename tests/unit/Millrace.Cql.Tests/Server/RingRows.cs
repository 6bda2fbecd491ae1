using Millrace.Cql.Types;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Server;

/// <summary>Bodies of RESULT: rows of any kind, and those of the system tables.</summary>
internal static class RingRows
{
    private static readonly CqlType Text = new(CqlTypeCode.Text);
    private static readonly CqlType Uuid = new(CqlTypeCode.Uuid);
    private static readonly CqlType Inet = new(CqlTypeCode.Inet);
    private static readonly CqlType Int = new(CqlTypeCode.Int);
    private static readonly CqlType TextSet = new(CqlTypeCode.Set, Text);
    private static readonly CqlType TextMap = new(CqlTypeCode.Map, Text, Text);

    private static readonly Dictionary<string, (CqlType Type, Func<FakeServer, object?> Of)> NodeColumns = new()
    {
        ["host_id"] = (Uuid, node => node.HostId),
        ["rpc_address"] = (Inet, node => node.EndPoint.Address),
        ["native_address"] = (Inet, node => node.EndPoint.Address),
        ["native_port"] = (Int, node => node.EndPoint.Port),
        ["data_center"] = (Text, node => node.Datacenter),
        ["rack"] = (Text, node => node.Rack),
        ["schema_version"] = (Uuid, node => node.SchemaVersion()),
        ["tokens"] = (TextSet, node => node.Tokens.Select(token => $"{token}").ToHashSet()),
    };

    public static Action<WireBuffer>? Answer(FakeServer server, string query)
    {
        if (query.EndsWith(" FROM system.local")) return Nodes(query, [server]);
        if (query.EndsWith(" FROM system.peers_v2")) return Nodes(query, server.Peers);
        return query.Contains("system_schema.keyspaces")
            ? Rows([("keyspace_name", Text), ("replication", TextMap)], [["ks", server.Replication]])
            : null;
    }

    public static Action<WireBuffer> Rows(
        (string Name, CqlType Type)[] columns, object?[][] rows, byte[]? pagingState = null) => body =>
    {
        body.Int(2);
        body.Int(pagingState is null ? 1 : 3);
        body.Int(columns.Length);
        if (pagingState is not null) body.Bytes(pagingState);
        WriteColumns(body, columns);
        body.Int(rows.Length);
        foreach (var row in rows)
        {
            for (var i = 0; i < columns.Length; i++) Parts.Write(body, columns[i].Type, row[i]);
        }
    };

    /// <summary>
    /// The answer to PREPARE: markers of these types, the first of which, if any, is the partition key.
    /// </summary>
    public static Action<WireBuffer> Prepared(byte[] id, params (string Name, CqlType Type)[] markers) => body =>
    {
        body.Int(4);
        body.ShortBytes(id);
        body.ShortBytes([1, 2, 3]);
        body.Int(Math.Min(markers.Length, 1));
        body.Int(markers.Length);
        body.Int(Math.Min(markers.Length, 1));
        if (markers.Length > 0)
        {
            body.Short(0);
            WriteColumns(body, markers);
        }

        body.Int(4);
        body.Int(0);
    };

    /// <summary>The columns that a query names, and no others: clients read them by their place.</summary>
    private static Action<WireBuffer> Nodes(string query, IEnumerable<FakeServer> nodes)
    {
        var names = query["SELECT ".Length..query.IndexOf(" FROM ", StringComparison.Ordinal)].Split(", ");
        return Rows([.. names.Select(name => (name, NodeColumns[name].Type))],
            [.. nodes.Select(node => names.Select(name => NodeColumns[name].Of(node)).ToArray())]);
    }

    private static void WriteColumns(WireBuffer body, (string Name, CqlType Type)[] columns)
    {
        body.String("ks");
        body.String("t");
        foreach (var (name, type) in columns)
        {
            body.String(name);
            WriteType(body, type);
        }
    }

    private static void WriteType(WireBuffer body, CqlType type)
    {
        body.Short((int)type.Code);
        foreach (var argument in type.Arguments) WriteType(body, argument);
    }
}
