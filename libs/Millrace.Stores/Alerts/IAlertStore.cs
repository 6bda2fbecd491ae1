using Millrace.Contracts;

namespace Millrace.Stores.Alerts;

public interface IAlertStore
{
    /// <summary>Upserts by row id; the position moves with the rows.</summary>
    ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<AlertRow> rows, SinkPosition position,
        CancellationToken ct = default);

    ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct = default);

    ValueTask<Page<AlertRow>> QueryAsync(AlertFilter filter, CancellationToken ct = default);

    ValueTask<long> CountAsync(CancellationToken ct = default);

    /// <summary>Removes rows before the time, and returns how many: 0 where they go by themselves.</summary>
    ValueTask<long> ExpireAsync(DateTimeOffset before, CancellationToken ct = default);
}

/// <summary>Newest first.</summary>
public sealed record AlertFilter(
    string? DeviceId = null, string? Query = null, AlertSeverity? SeverityMin = null, DateTimeOffset? From = null,
    DateTimeOffset? To = null, int Limit = 100, string? Continuation = null);
