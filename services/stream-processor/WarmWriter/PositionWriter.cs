using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Saql.Extensions;
using Millrace.Stores.Positions;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>Keeps where devices are, when StreamProcessor:Position says how their telemetry tells it.</summary>
internal sealed class PositionWriter(
    IPositionStore store, IOptions<StreamProcessorOptions> options, QueryExtensions extensions)
{
    private readonly PositionReader? _reader = options.Value.Position is { } expression
        ? PositionReader.TryMake(expression, extensions, out _)
        : null;

    public ValueTask WriteAsync(
        IReadOnlyList<RecordBatch> batches, IReadOnlyList<TelemetryMessage> rows, CancellationToken ct = default)
    {
        if (_reader is null || rows.Count == 0) return ValueTask.CompletedTask;
        var positions = _reader.Read(batches, rows);
        return positions.Count == 0 ? ValueTask.CompletedTask : store.WriteAsync(positions, ct);
    }
}
