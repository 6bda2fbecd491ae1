using System.Collections.Concurrent;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>
/// From when on a shard's hints are looked for. What was due before has gone, and a node fails a read over 100,000
/// deletions. A hint may come after its time, or from a clock that is behind: so it is an hour before the oldest that
/// was found, and an hour ago at the latest.
/// </summary>
internal sealed class DueBeginnings(CassandraDatabase database)
{
    private static readonly TimeSpan Lag = TimeSpan.FromHours(1);

    // Written no oftener than that: it need not be exact.
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(10);

    private static readonly StoreStatement Select =
        new("SELECT due_at FROM session_due_from WHERE kind = ? AND shard = ?");
    private static readonly StoreStatement Insert =
        new("INSERT INTO session_due_from(kind, shard, due_at) VALUES(?, ?, ?)");

    private readonly ConcurrentDictionary<(DueKind Kind, int Shard), long> _known = [];

    public async ValueTask<long> FindAsync(DueKind kind, int shard, DateTimeOffset now, CancellationToken ct)
    {
        if (!_known.TryGetValue((kind, shard), out var known))
        {
            known = await database.FirstAsync(Select, row => row.Get<long>(0), ct, (int)kind, shard)
                .ConfigureAwait(false);
            _known[(kind, shard)] = known;
        }

        return Math.Min(known, (now - Lag).ToUnixTimeMilliseconds());
    }

    /// <param name="oldest">When the oldest hint is due that was found.</param>
    public async ValueTask MoveAsync(DueKind kind, int shard, long oldest, CancellationToken ct)
    {
        var begins = oldest - (long)Lag.TotalMilliseconds;
        if (begins < _known[(kind, shard)] + (long)Step.TotalMilliseconds) return;
        await database.RunAsync(Insert, ct, (int)kind, shard, begins).ConfigureAwait(false);
        _known[(kind, shard)] = begins;
    }
}
