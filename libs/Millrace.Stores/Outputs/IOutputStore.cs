using Millrace.Contracts;

namespace Millrace.Stores.Outputs;

/// <summary>Rows of query outputs that asked to be kept in the warm store.</summary>
public interface IOutputStore
{
    /// <summary>Upserts by row id; the position moves with the rows.</summary>
    ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<OutputRow> rows, SinkPosition position,
        CancellationToken ct = default);

    ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct = default);

    /// <summary>Rows of one output, newest first.</summary>
    ValueTask<Page<OutputRow>> QueryAsync(
        string output, DateTimeOffset? from, DateTimeOffset? to, int limit, string? continuation,
        CancellationToken ct = default);

    /// <summary>Removes rows before the time, and returns how many: 0 where they go by themselves.</summary>
    ValueTask<long> ExpireAsync(DateTimeOffset before, CancellationToken ct = default);
}
