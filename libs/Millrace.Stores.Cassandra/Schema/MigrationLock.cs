using System.Globalization;
using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Schema;

/// <summary>
/// Whose turn it is to change the tables: a row that is taken by compare-and-set, and goes by itself when its owner
/// died.
/// </summary>
internal sealed class MigrationLock(CqlSession session)
{
    public const string Table = "CREATE TABLE IF NOT EXISTS migration_lock(id int PRIMARY KEY, owner uuid)";

    // Longer than any statement under it may take.
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    private readonly Guid _owner = Guid.NewGuid();

    /// <summary>Takes it, or renews the lease; false while it is another's.</summary>
    public async Task<bool> TryTakeAsync(CancellationToken ct)
    {
        var ttl = ((int)Lease.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        var renewed = await session.ExecuteAsync(new SimpleStatement(
            $"UPDATE migration_lock USING TTL {ttl} SET owner = ? WHERE id = 0 IF owner = ?", _owner, _owner), ct)
            .ConfigureAwait(false);
        if (renewed.Applied) return true;
        var taken = await session.ExecuteAsync(new SimpleStatement(
            $"INSERT INTO migration_lock(id, owner) VALUES(0, ?) IF NOT EXISTS USING TTL {ttl}", _owner), ct)
            .ConfigureAwait(false);
        return taken.Applied;
    }

    public async Task ReleaseAsync(CancellationToken ct) => await session.ExecuteAsync(new SimpleStatement(
        "DELETE FROM migration_lock WHERE id = 0 IF owner = ?", _owner), ct).ConfigureAwait(false);
}
