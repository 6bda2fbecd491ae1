using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Saql.Extensions;
using Millrace.Stores.Positions;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>Reads where devices are out of their telemetry, by an expression of the query language.</summary>
internal sealed class PositionReader
{
    private const string Name = "position";

    private readonly QueryPlan _plan;

    private PositionReader(QueryPlan plan) => _plan = plan;

    /// <summary>Null with what is wrong when the expression does not compile.</summary>
    public static PositionReader? TryMake(string expression, QueryExtensions extensions, out string? wrong)
    {
        var result = SaqlCompiler.Compile(
            $"SELECT ({expression}\n) AS {Name} INTO {Name} FROM {Topics.Telemetry}", CompileOptions.Hub(extensions));
        wrong = result.Plan is null
            ? string.Join(" ", result.Diagnostics.Select(one => $"{one.Code} at {one.Column}: {one.Message}"))
            : null;
        return wrong is null ? new PositionReader(result.Plan!) : null;
    }

    /// <summary>The positions in the batches; rows beside them tell each record's times.</summary>
    public List<DevicePosition> Read(IReadOnlyList<RecordBatch> batches, IReadOnlyList<TelemetryMessage> rows)
    {
        var sink = new PositionRows();
        var byOffset = rows.ToDictionary(row => row.Offset);
        foreach (var batch in batches)
        {
            // An engine passes over what it has read before, and a batch may come again.
            var engine = new QueryEngine(_plan, new QueryEngineOptions(Name, 1),
                [new QuerySource(Topics.Telemetry, batch.Partition, batch.FirstOffset)], sink);
            var at = 0;
            foreach (var record in batch)
            {
                sink.Row = byOffset.GetValueOrDefault(record.Offset);
                var size = record.Bytes.Length;
                engine.Process(new RecordBatch(batch.Partition, record.Offset, 1, batch.Bytes.Slice(at, size)));
                at += size;
            }
        }

        return sink.Positions;
    }

    /// <summary>Takes what the engine makes of one record at a time.</summary>
    private sealed class PositionRows : IQueryRowSink
    {
        public List<DevicePosition> Positions { get; } = [];

        public TelemetryMessage? Row { get; set; }

        void IQueryRowSink.Row(in QueryRow row)
        {
            if (Row is null) return;
            switch (PositionText.TryRead(row.Json, out var point))
            {
                case PositionOutcome.Found:
                    Positions.Add(new DevicePosition(Row.DeviceId, point.Latitude, point.Longitude, point.Altitude,
                        Row.EventAtMs, Row.Partition, Row.Offset, Row.EnqueuedAtMs, Row.GenerationId));
                    break;
                case PositionOutcome.Invalid:
                    StreamProcessorMetrics.PositionsFailed.Add(1, new KeyValuePair<string, object?>("reason", "value"));
                    break;
            }
        }

        void IQueryRowSink.Failed(in QueryRowFailure failure) =>
            StreamProcessorMetrics.PositionsFailed.Add(1, new KeyValuePair<string, object?>("reason", failure.Code));

        void IQueryRowSink.Dropped(TopicPartition source, long offset, int element, bool isLate) =>
            StreamProcessorMetrics.PositionsFailed.Add(1, new KeyValuePair<string, object?>("reason", "dropped"));
    }
}
