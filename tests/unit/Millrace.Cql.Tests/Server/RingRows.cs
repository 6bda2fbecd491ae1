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

    public static Action<WireBuffer>? Answer(FakeServer server, string query)
    {
        if (query.Contains("system.local"))
            return Rows([("host_id", Uuid), ("rpc_address", Inet), ("data_center", Text), ("rack", Text),
                ("schema_version", Uuid), ("tokens", TextSet)],
                [[server.HostId, server.EndPoint.Address, "dc1", "r1", Guid.Empty, new HashSet<string> { "0" }]]);
        if (query.Contains("system.peers_v2"))
            return Rows([("host_id", Uuid), ("native_address", Inet), ("native_port", Int), ("data_center", Text),
                ("rack", Text), ("schema_version", Uuid), ("tokens", TextSet)],
                [.. server.Peers.Select((peer, i) => new object?[]
                {
                    new Guid(i + 1, 0, 0, new byte[8]), peer.Address, peer.Port, "dc1", "r1", Guid.Empty,
                    new HashSet<string> { $"{(i + 1) * 1000}" },
                })]);
        return query.Contains("system_schema.keyspaces")
            ? Rows([("keyspace_name", Text), ("replication", TextMap)],
                [["ks", new Dictionary<string, string> { ["class"] = "SimpleStrategy", ["replication_factor"] = "1" }]])
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

    /// <summary>The answer to PREPARE: markers of these types, the first of which is the partition key.</summary>
    public static Action<WireBuffer> Prepared(byte[] id, params (string Name, CqlType Type)[] markers) => body =>
    {
        body.Int(4);
        body.ShortBytes(id);
        body.ShortBytes([1, 2, 3]);
        body.Int(1);
        body.Int(markers.Length);
        body.Int(1);
        body.Short(0);
        WriteColumns(body, markers);
        body.Int(4);
        body.Int(0);
    };

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
