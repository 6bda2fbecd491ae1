using Millrace.Contracts;

namespace Millrace.Stores.Telemetry;

/// <summary>Recent telemetry by device and time, and each device's latest value.</summary>
public interface ITelemetryStore
{
    /// <summary>
    /// Stores rows of one partition together with the offset after them, in one transaction where the adapter can.
    /// Rows that are there already stay as they are, and the position does not go back. Also keeps each device's latest
    /// value: the highest (event_at, offset).
    /// </summary>
    ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<TelemetryMessage> rows, SinkPosition position,
        CancellationToken ct = default);

    /// <summary>How far the rows of this partition are stored; null when none were. It rules over the log's.</summary>
    ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct = default);

    /// <summary>Rows of a device with from &lt;= event_at &lt; to, newest first unless told otherwise.</summary>
    ValueTask<Page<TelemetryMessage>> QueryAsync(TelemetryRange range, CancellationToken ct = default);

    ValueTask<TelemetryMessage?> LatestAsync(string deviceId, CancellationToken ct = default);

    /// <summary>A page of each, in their order.</summary>
    async ValueTask<IReadOnlyList<Page<TelemetryMessage>>> QueryManyAsync(
        IReadOnlyList<TelemetryRange> ranges, CancellationToken ct = default)
    {
        var pages = new List<Page<TelemetryMessage>>(ranges.Count);
        foreach (var range in ranges) pages.Add(await QueryAsync(range, ct).ConfigureAwait(false));
        return pages;
    }

    /// <summary>Latest values of these devices, in their order; one that has sent nothing is left out.</summary>
    async ValueTask<IReadOnlyList<TelemetryMessage>> LatestManyAsync(
        IReadOnlyList<string> deviceIds, CancellationToken ct = default)
    {
        var found = new List<TelemetryMessage>(deviceIds.Count);
        foreach (var id in deviceIds)
            if (await LatestAsync(id, ct).ConfigureAwait(false) is { } latest) found.Add(latest);
        return found;
    }

    /// <summary>
    /// Devices were deleted: what they had sent, and what of it still comes, is no latest value any more. Rows stay
    /// until their time is over. A replay changes nothing.
    /// </summary>
    ValueTask ForgetAsync(IReadOnlyList<DeviceEnd> ends, CancellationToken ct = default);

    /// <summary>Rows go by themselves when their time is over, so that nobody need call
    /// <see cref="ExpireAsync"/>, which reads them all.</summary>
    bool ExpiresByItself => false;

    /// <summary>Removes rows that were enqueued before the time, and returns how many; latest values stay.</summary>
    ValueTask<long> ExpireAsync(long enqueuedBeforeMs, CancellationToken ct = default);

    ValueTask<long> CountAsync(CancellationToken ct = default);
}

public sealed record TelemetryRange(
    string DeviceId, long? FromMs = null, long? ToMs = null, int Limit = 100, string? Continuation = null,
    bool OldestFirst = false);
