using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// The days on which a device has rows, so that a query looks into the buckets of those alone. Written once a device
/// and day; read as one slice.
/// </summary>
internal sealed class TelemetryDays(CassandraDatabase database, int retentionSeconds, TimeProvider time)
{
    public const long DayMs = 86_400_000;

    private const int ShardsFixed = 1_024;
    private const int KnownMax = 500_000;

    // A row may be enqueued so long after its event time, and its retention counts from then.
    private static readonly TimeSpan LateMax = TimeSpan.FromDays(30);

    private static readonly StoreStatement Insert = new(
        "INSERT INTO telemetry_days(shard, device, day) VALUES(?, ?, ?) USING TIMESTAMP ? AND TTL ?");

    private static readonly StoreStatement Select = new(
        "SELECT day FROM telemetry_days WHERE shard = ? AND device = ? AND day >= ? AND day < ?");

    private readonly RecentlyKnown<(string Device, long Day), bool> _known = new(KnownMax);

    public static long DayOf(long eventAtMs) => (eventAtMs / DayMs * DayMs) - (eventAtMs % DayMs < 0 ? DayMs : 0);

    /// <summary>Writes for what this process has not written yet; tell <see cref="Stored"/> when they are.</summary>
    public async ValueTask<IReadOnlyList<CqlStatement>> NewAsync(
        IReadOnlyCollection<(string Device, long Day)> days, long batchBytes, CancellationToken ct)
    {
        var batches = new PartitionBatches<int>(batchBytes);
        foreach (var day in days)
        {
            if (_known.TryGet(day, out _) || !TryTtl(day.Day, out var ttl)) continue;
            var shard = TelemetryLayout.ShardOf(day.Device, ShardsFixed);
            var insert = await database.BindAsync(Insert, ct).ConfigureAwait(false);

            // Of equal timestamps one with a time to live would win over one without, and hide rows that stay.
            var timestamp = ttl == 0 ? 1L : 0L;
            batches.Add(shard, insert.Add(shard).Add(day.Device).Add(day.Day).Add(timestamp).Add(ttl));
        }

        return batches.Take();
    }

    public void Stored(IReadOnlyCollection<(string Device, long Day)> days)
    {
        foreach (var day in days) _known.Set(day, true);
    }

    /// <summary>Days that end after <paramref name="fromMs"/> and begin before <paramref name="toMs"/>.</summary>
    public ValueTask<List<long>> ListAsync(string device, long fromMs, long toMs, CancellationToken ct) =>
        database.ListAsync(Select, row => row.Get<long>(0), ct, TelemetryLayout.ShardOf(device, ShardsFixed), device,
            DayOf(fromMs), toMs);

    /// <summary>Until no row of the day can be there any more; false when that is now.</summary>
    private bool TryTtl(long day, out int seconds)
    {
        seconds = 0;
        if (retentionSeconds == 0) return true;
        var ends = DateTimeOffset.FromUnixTimeMilliseconds(day + DayMs) + LateMax;
        var now = time.GetUtcNow();
        var left = (ends - now).TotalSeconds + retentionSeconds;
        seconds = (int)Math.Clamp(left, 0, Expiry.Most(now.ToUnixTimeMilliseconds(), database.ExpiryEnd));
        return seconds > 0;
    }
}
