using System.Net;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Protocol;

/// <summary>
/// A notice from the server (section 4.2.6): UP, DOWN, NEW_NODE, REMOVED_NODE, or a change of the schema.
/// </summary>
internal sealed record ServerEvent(string Kind, string Change, IPEndPoint? Node)
{
    public const string TopologyChange = "TOPOLOGY_CHANGE";
    public const string StatusChange = "STATUS_CHANGE";
    public const string SchemaChanged = "SCHEMA_CHANGE";

    public static ServerEvent Read(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var kind = reader.String();
        var change = reader.String();
        return new ServerEvent(kind, change, kind == SchemaChanged ? null : reader.Inet());
    }
}
