using Microsoft.Extensions.Logging;
using Millrace.Cql;
using Millrace.Primitives;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>
/// The table that says from which event time on each layout holds. A change lies further ahead than the time of any
/// record that is believed, and every process looks once a minute: whoever has a row in hand knows the layout that it
/// belongs to.
/// </summary>
internal sealed class TelemetryLayoutLog(
    CassandraDatabase database, CassandraTelemetryOptions options, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan KnownFor = TimeSpan.FromMinutes(1);
    private static readonly long HourMs = (long)TimeSpan.FromHours(1).TotalMilliseconds;

    // A change lies so far ahead for everybody only where clocks agree.
    private static readonly long ClocksApartMaxMs = (long)TimeSpan.FromMinutes(2).TotalMilliseconds;

    private static readonly StoreStatement Select = new(
        "SELECT from_at, width_ms, shards FROM telemetry_layouts WHERE id = 0");

    private static readonly StoreStatement Insert = new(
        "INSERT INTO telemetry_layouts(id, from_at, width_ms, shards) VALUES(0, ?, ?, ?) IF NOT EXISTS");

    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile Known? _known;
    private bool _recorded;

    /// <summary>Throws when they are not known and cannot be read; then nothing can be written either.</summary>
    public ValueTask<TelemetryLayouts> CurrentAsync(CancellationToken ct) =>
        _known is { } known && time.GetElapsedTime(known.ReadAt) < KnownFor
            ? new ValueTask<TelemetryLayouts>(known.Layouts)
            : new ValueTask<TelemetryLayouts>(ReadAsync(ct));

    private async Task<TelemetryLayouts> ReadAsync(CancellationToken ct)
    {
        await _turn.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_known is { } known && time.GetElapsedTime(known.ReadAt) < KnownFor) return known.Layouts;
            var readAt = time.GetTimestamp();
            if (!_recorded) await RecordAsync(ct).ConfigureAwait(false);
            var layouts = new TelemetryLayouts(await ListAsync(ct).ConfigureAwait(false));
            _known = new Known(layouts, readAt);
            return layouts;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// What the options say becomes the first layout, or the next. Of processes that start at the same time with the
    /// same options one records it. A process whose clock is not the nodes' goes on with what there is.
    /// </summary>
    private async Task RecordAsync(CancellationToken ct)
    {
        var (widthMs, shards) = ((long)options.Bucket.TotalMilliseconds, options.Shards);
        var last = (await ListAsync(ct).ConfigureAwait(false)).LastOrDefault();
        if (last is null || last.WidthMs != widthMs || last.Shards != shards)
        {
            var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
            var nodeMs = await database.NowMsAsync(ct).ConfigureAwait(false);
            if (last is not null && Math.Abs(nowMs - nodeMs) > ClocksApartMaxMs)
            {
                log.LayoutUnrecorded(DurationText.Format(options.Bucket), shards, (nowMs - nodeMs) / 1_000);
                return;
            }

            var fromMs = last is null ? TelemetryLayout.Beginning : NextFromMs(last, Math.Max(nowMs, nodeMs));
            var taken = await database.RunAsync(Insert, ct, fromMs, widthMs, shards).ConfigureAwait(false);
            var from = DateTimeOffset.FromUnixTimeMilliseconds(fromMs);
            if (taken.Applied) log.LayoutRecorded(DurationText.Format(options.Bucket), shards, from);
        }

        _recorded = true;
    }

    private long NextFromMs(TelemetryLayout last, long nowMs)
    {
        var soonestMs = nowMs + (long)options.ChangeLead.TotalMilliseconds;
        var wholeHour = ((soonestMs / HourMs) + 1) * HourMs;
        return Math.Max(wholeHour, last.FromMs + HourMs);
    }

    /// <summary>With what a compare-and-set has begun: a layout that others may know of is not passed over.</summary>
    private async ValueTask<List<TelemetryLayout>> ListAsync(CancellationToken ct)
    {
        var bound = await database.BindAsync(Select, ct).ConfigureAwait(false);
        bound.Consistency = Consistency.LocalSerial;
        var layouts = new List<TelemetryLayout>();
        var rows = database.ReadAsync(bound,
            row => new TelemetryLayout(row.Get<long>(0), row.Get<long>(1), row.Get<int>(2)), ct);
        await foreach (var layout in rows.ConfigureAwait(false)) layouts.Add(layout);
        return layouts;
    }

    private sealed record Known(TelemetryLayouts Layouts, long ReadAt);
}
