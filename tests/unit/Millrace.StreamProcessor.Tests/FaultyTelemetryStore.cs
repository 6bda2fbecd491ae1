using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.Telemetry;

namespace Millrace.StreamProcessor.Tests;

/// <summary>
/// A store in memory that is away for some writes, of which it stores a part, and that refuses rows for good.
/// </summary>
internal sealed class FaultyTelemetryStore(Func<TelemetryMessage, bool> refuses) : ITelemetryStore
{
    private readonly Dictionary<(int, long), TelemetryMessage> _rows = [];
    private readonly Dictionary<TopicPartition, SinkPosition> _positions = [];

    /// <summary>So many writes from now on fail after half of their rows.</summary>
    public int Failures { get; set; }

    public int Writes { get; private set; }

    public IEnumerable<long> Offsets => _rows.Values.Select(row => row.Offset).Order();

    public ValueTask WriteAsync(
        TopicPartition partition, IReadOnlyList<TelemetryMessage> rows, SinkPosition position, CancellationToken ct)
    {
        Writes++;
        if (rows.FirstOrDefault(refuses) is { } refused)
            throw StoreErrors.RowRefused.With($"{refused.DeviceId}, offset {refused.Offset}").AsException();
        var fails = Failures-- > 0;
        foreach (var row in rows.Take(fails ? rows.Count / 2 : rows.Count)) _rows[(row.Partition, row.Offset)] = row;
        if (fails) throw StoreErrors.Unavailable.With("memory").AsException();
        if (!_positions.TryGetValue(partition, out var was) || was.NextOffset < position.NextOffset)
            _positions[partition] = position;
        return ValueTask.CompletedTask;
    }

    public ValueTask<SinkPosition?> PositionAsync(TopicPartition partition, CancellationToken ct) =>
        ValueTask.FromResult(_positions.GetValueOrDefault(partition));

    public ValueTask<Page<TelemetryMessage>> QueryAsync(TelemetryRange range, CancellationToken ct) =>
        throw new NotSupportedException();

    public ValueTask<TelemetryMessage?> LatestAsync(string deviceId, CancellationToken ct) =>
        throw new NotSupportedException();

    public ValueTask ForgetAsync(IReadOnlyList<DeviceEnd> ends, CancellationToken ct) =>
        throw new NotSupportedException();

    public ValueTask<long> ExpireAsync(long enqueuedBeforeMs, CancellationToken ct) => ValueTask.FromResult(0L);

    public ValueTask<long> CountAsync(CancellationToken ct) => ValueTask.FromResult((long)_rows.Count);
}
