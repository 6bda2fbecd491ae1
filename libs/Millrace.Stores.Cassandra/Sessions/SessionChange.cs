using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>A change of one device that is being made: its sessions as they will be, and writes of messages.</summary>
internal sealed class SessionChange(DeviceSessions sessions)
{
    public DeviceSessions Sessions => sessions;

    public List<BoundStatement> Writes { get; } = [];

    /// <summary>Messages that expired and made room.</summary>
    public int Expired { get; set; }
}
