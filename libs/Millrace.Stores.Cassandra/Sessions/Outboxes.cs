using System.Text.Json;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>Outboxes, each a row of its sender's partition.</summary>
internal sealed class Outboxes(CassandraDatabase database)
{
    private static readonly StoreStatement Insert =
        new("INSERT INTO sessions(device, kind, client, number, data) VALUES(?, 4, '', ?, ?)");
    private static readonly StoreStatement Select =
        new("SELECT data FROM sessions WHERE device = ? AND kind = 4 AND client = '' AND number = ?");
    private static readonly StoreStatement Delete =
        new("DELETE FROM sessions WHERE device = ? AND kind = 4 AND client = '' AND number = ?");

    public ValueTask<BoundStatement> InsertAsync(string device, Outbox outbox, CancellationToken ct) =>
        database.BindAsync(Insert, ct, device, outbox.Number, JsonSerializer.Serialize(outbox));

    public ValueTask<BoundStatement> DeleteAsync(string device, long number, CancellationToken ct) =>
        database.BindAsync(Delete, ct, device, number);

    public ValueTask<Outbox?> FindAsync(string device, long number, CancellationToken ct) =>
        database.FirstAsync(Select, row => JsonSerializer.Deserialize<Outbox>(row.Get<string>(0)), ct, device, number);
}
