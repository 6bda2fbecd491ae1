using System.Buffers.Text;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql;

namespace Millrace.StreamProcessor.Queries;

/// <summary>Rows to the topics of a query's outputs.</summary>
internal sealed class OutputWriter : OwnerWriter
{
    private readonly HashSet<string>[] _known;
    private EpochFence _epochs = new(null);

    public OutputWriter(
        IEventLog log, TimeProvider time, string query, int version, long epoch, IEnumerable<TopicPartition> targets,
        long bytesMax)
        : base(log, time, query, version, epoch, targets, bytesMax) =>
        _known = [.. Records.Select(_ => new HashSet<string>())];

    /// <summary>How many rows stand already and were not made again yet.</summary>
    public override int KnownRows => _known.Sum(rows => rows.Count);

    public override bool IsCatchingUp(IReadOnlyList<PartitionOffset> positions) => KnownRows > 0;

    public override int ForgetKnown()
    {
        var left = KnownRows;
        foreach (var rows in _known) rows.Clear();
        return left;
    }

    public override void Row(in QueryRow row)
    {
        if (_known[row.Output].Count > 0 && _known[row.Output].Remove(Encoding.UTF8.GetString(row.RowId)))
        {
            StreamProcessorMetrics.RowsKnown.Add(1);
            return;
        }

        Span<byte> number = stackalloc byte[20];
        var records = Records[row.Output];
        var before = (records.ByteCount, records.Count);
        records.Begin(Time.GetUtcNow().ToUnixTimeMilliseconds(), row.DeviceId, row.HasDevice);
        records.AddHeader(OutputHeaders.RowId, row.RowId);
        records.AddHeader(OutputHeaders.Epoch, Epoch);
        records.AddHeader(OutputHeaders.Query, Owner);
        Utf8Formatter.TryFormat(row.TimestampMs, number, out var digits);
        records.AddHeader(OutputHeaders.RowTime, number[..digits]);
        records.End(row.Json);
        if (TryKeep(row.Output, before, row.Source, row.Offset, row.Element, row.IsLate)) RowsOut++;
    }

    protected override void Collect(int target, RecordBatch batch, long fence, OwnerAge seen, bool isFirst)
    {
        if (isFirst) _epochs = EpochFence.After(Query, seen.Epoch);
        foreach (var record in batch)
        {
            if (record.Offset >= fence || !record.TryGetHeader(OutputHeaders.Query, out var owner)) continue;
            if (!owner.SequenceEqual(Owner) || !_epochs.Admits(record)) continue;
            if (record.TryGetHeader(OutputHeaders.RowId, out var id)) _known[target].Add(Encoding.UTF8.GetString(id));
        }
    }
}
