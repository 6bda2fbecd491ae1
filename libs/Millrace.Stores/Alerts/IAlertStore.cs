using Millrace.Contracts;

namespace Millrace.Stores.Alerts;

public interface IAlertStore
{
    /// <summary>Upserts by row id; the position moves with the rows.</summary>
    ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<AlertRow> rows, SinkPosition position,
        CancellationToken ct = default);

    ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct = default);

    /// <summary>
    /// A page may be shorter than the limit, or empty, and have a token still: <see cref="AlertFilter.LookedAtMax"/>.
    /// </summary>
    ValueTask<Page<AlertRow>> QueryAsync(AlertFilter filter, CancellationToken ct = default);

    ValueTask<long> CountAsync(CancellationToken ct = default);

    /// <summary>Removes rows before the time, and returns how many: 0 where they go by themselves.</summary>
    ValueTask<long> ExpireAsync(DateTimeOffset before, CancellationToken ct = default);
}

/// <summary>Newest first.</summary>
public sealed record AlertFilter(
    string? DeviceId = null, string? Query = null, AlertSeverity? SeverityMin = null, DateTimeOffset? From = null,
    DateTimeOffset? To = null, int Limit = 100, string? Continuation = null)
{
    /// <summary>
    /// How many rows one page looks at: those of its times that are the device's, else the query's, else all. It ends
    /// there, with a token, whatever it has found: so a search for what is rare among millions is answered in steps.
    /// </summary>
    public int LookedAtMax { get; init; } = int.MaxValue;

    /// <summary>Everything but the times, which stores look for by their order.</summary>
    internal bool Matches(AlertRow row) =>
        (DeviceId is null || row.DeviceId == DeviceId) && (Query is null || row.Query == Query)
        && (SeverityMin is not { } least || row.Severity >= least);
}
