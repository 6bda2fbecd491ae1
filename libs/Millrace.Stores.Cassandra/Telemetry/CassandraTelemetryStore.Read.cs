using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Telemetry;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>Reading: bucket by bucket, several at a time, until the page is full.</summary>
internal sealed partial class CassandraTelemetryStore
{
    private const string List = "telemetry";
    private const int PageRowsMax = 5_000;

    // Event times that a message can have lie well within these, and reckoning with them cannot overflow.
    private const long EarliestMs = -(1L << 50);
    private const long LatestMs = 1L << 50;

    public async ValueTask<Page<TelemetryMessage>> QueryAsync(TelemetryRange range, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(range.Limit);
        var bounds = Bounds.Of(range);
        var layouts = await _layouts.CurrentAsync(ct).ConfigureAwait(false);
        var days = await _days.ListAsync(range.DeviceId, bounds.FromMs, bounds.ToMs, ct).ConfigureAwait(false);
        if (!range.OldestFirst) days.Reverse();
        var partitions = days.SelectMany(day => layouts.PartitionsOf(range.DeviceId,
            Math.Max(day, bounds.FromMs), Math.Min(day + TelemetryDays.DayMs, bounds.ToMs), range.OldestFirst));
        var reads = new BucketReads<TelemetryPartition, TelemetryMessage>(_options.ReadsAtOnceMax,
            (partition, after, limit) => ReadAsync(
                partition, range, after is null ? bounds : bounds.Behind(after, range.OldestFirst), limit, ct));

        // A bucket may be cut by the end of a day and come up in both.
        var rows = await reads.TakeAsync(partitions.Distinct(), range.Limit + 1).ConfigureAwait(false);
        if (rows.Count <= range.Limit) return new Page<TelemetryMessage>(rows, null);
        rows.RemoveRange(range.Limit, rows.Count - range.Limit);
        var last = rows[^1];
        return new Page<TelemetryMessage>(
            rows, ContinuationToken.Write(List, last.EventAtMs, last.Partition, last.Offset));
    }

    public ValueTask<TelemetryMessage?> LatestAsync(string deviceId, CancellationToken ct) =>
        _latest.FindAsync(deviceId, ct);

    public async ValueTask ForgetAsync(IReadOnlyList<DeviceEnd> ends, CancellationToken ct) =>
        await InFlight.ForEachAsync(ends, ct, _latest.ForgetAsync).ConfigureAwait(false);

    public async ValueTask<IReadOnlyList<Page<TelemetryMessage>>> QueryManyAsync(
        IReadOnlyList<TelemetryRange> ranges, CancellationToken ct) =>
        await InFlight.SelectAsync(ranges, ct, QueryAsync).ConfigureAwait(false);

    public async ValueTask<IReadOnlyList<TelemetryMessage>> LatestManyAsync(
        IReadOnlyList<string> deviceIds, CancellationToken ct)
    {
        var found = await InFlight.SelectAsync(deviceIds, ct, LatestAsync).ConfigureAwait(false);
        return [.. found.OfType<TelemetryMessage>()];
    }

    private async Task<List<TelemetryMessage>> ReadAsync(
        TelemetryPartition partition, TelemetryRange range, Bounds bounds, int limit, CancellationToken ct)
    {
        var text = range.OldestFirst ? TelemetryTable.OldestFirst : TelemetryTable.NewestFirst;
        var select = await _database.BindAsync(text, ct).ConfigureAwait(false);
        select.Add(partition.Shard).Add(partition.Bucket).Add(range.DeviceId);
        bounds.After.AddTo(select);
        bounds.Before.AddTo(select);
        select.Add(limit).PageSize = Math.Min(limit, PageRowsMax);
        var rows = new List<TelemetryMessage>();
        var found = _database.ReadAsync(select, row => TelemetryTable.Read(range.DeviceId, row), ct,
            partition.Shard, partition.Bucket, range.DeviceId);
        await foreach (var row in found.ConfigureAwait(false)) rows.Add(row);
        return rows;
    }

    /// <summary>The places between which the rows of a query lie; they themselves do not belong to it.</summary>
    private readonly record struct Bounds(Place After, Place Before)
    {
        public long FromMs => After.EventAtMs;

        public long ToMs => Before.EventAtMs + 1;

        public static Bounds Of(TelemetryRange range)
        {
            var after = Place.Before(Math.Clamp(range.FromMs ?? EarliestMs, EarliestMs, LatestMs));
            var before = Place.Before(Math.Clamp(range.ToMs ?? LatestMs, EarliestMs, LatestMs));
            if (range.Continuation is not { } token) return new Bounds(after, before);
            var key = ContinuationToken.Read(List, token, 3);
            var part = ContinuationToken.Number(key[1], token);
            if (part is < int.MinValue or > int.MaxValue)
                throw StoreErrors.ContinuationInvalid.With(token).AsException();
            var eventAt = Math.Clamp(ContinuationToken.Number(key[0], token), EarliestMs, LatestMs);
            var last = new Place(eventAt, (int)part, ContinuationToken.Number(key[2], token));
            return new Bounds(after, before).Behind(last, range.OldestFirst);
        }

        /// <summary>Those of them that are read after the row.</summary>
        public Bounds Behind(TelemetryMessage row, bool oldestFirst) =>
            Behind(new Place(row.EventAtMs, row.Partition, row.Offset), oldestFirst);

        private Bounds Behind(Place last, bool oldestFirst) => oldestFirst
            ? this with { After = last.CompareTo(After) > 0 ? last : After }
            : this with { Before = last.CompareTo(Before) < 0 ? last : Before };
    }

    /// <summary>Of a row within its device.</summary>
    private readonly record struct Place(long EventAtMs, int Part, long Offset) : IComparable<Place>
    {
        /// <summary>Behind all rows of earlier times, before those of this one.</summary>
        public static Place Before(long eventAtMs) => new(eventAtMs, int.MinValue, long.MinValue);

        public int CompareTo(Place other) => (EventAtMs, Part, Offset).CompareTo(
            (other.EventAtMs, other.Part, other.Offset));

        public void AddTo(BoundStatement select) => select.Add(EventAtMs).Add(Part).Add(Offset);
    }
}
