using System.IO.Hashing;
using System.Text;
using Millrace.Archiver.Rewriting;
using Millrace.Archiver.Rows;
using Millrace.Contracts;

namespace Millrace.Archiver.Verification;

/// <summary>
/// One number for all that a row says, made from the log's record and, by another way, from the archive's row.
/// </summary>
internal static class RowHash
{
    private const ulong Mix = 0x9E37_79B9_7F4A_7C15;
    private const ulong Absent = 0x5851_F42D_4C95_7F2D;

    public static ulong Of(RecordView record, TopicPartition source) =>
        source.Topic == Topics.Telemetry ? OfTelemetry(record) : OfOutput(record, source);

    /// <summary>What gives the number of each row.</summary>
    public static Func<int, ulong> OfRows(RowSet rows, bool isTelemetry)
    {
        if (isTelemetry)
        {
            var telemetry = new TelemetryRows(rows);
            return row => Of(telemetry, row);
        }

        var output = new OutputRows(rows);
        return row => Of(output, row);
    }

    private static ulong OfOutput(RecordView record, TopicPartition source)
    {
        var row = OutputRecord.Of(record);
        var hash = Add(0, row.HasRowId
            ? row.RowId
            : Encoding.ASCII.GetBytes(OutputRecord.RowIdAt(source, record.Offset)));
        hash = Add(hash, !row.Query.IsEmpty, row.Query);
        hash = Add(hash, row.Query.IsEmpty ? -1 : row.Version);
        hash = Add(hash, row.AtMs * 1000);
        hash = Add(hash, !row.Device.IsEmpty, row.Device);
        hash = Add(hash, record.TimestampMs * 1000);
        return Add(hash, record.Value);
    }

    private static ulong Of(OutputRows rows, int row)
    {
        var hash = Add(0, rows.RowId.Text(row));
        hash = Add(hash, rows.Query, row);
        hash = Add(hash, rows.Version.Has(row) ? rows.Version[row] : -1);
        hash = Add(hash, rows.At[row]);
        hash = Add(hash, rows.All.Device, row);
        hash = Add(hash, rows.All.EnqueuedAt[row]);
        return Add(hash, rows.Body.Text(row));
    }

    private static ulong OfTelemetry(RecordView record)
    {
        var headers = new RowHeaders();
        var properties = new Dictionary<string, byte[]>();
        foreach (var header in record.Headers)
        {
            // Of a property that is there twice the last counts.
            if (!headers.TryTake(header) && header.Name.StartsWith(TelemetryHeaders.ApplicationPrefix))
                properties[Convert.ToHexString(header.Name[TelemetryHeaders.ApplicationPrefix.Length..])] =
                    header.Value.ToArray();
        }

        var hash = Add(0, record.Key);
        hash = Add(hash, headers.HasModuleId, headers.ModuleId);
        hash = Add(hash, record.TimestampMs * 1000);
        hash = Add(hash, EventTime.Choose(record.TimestampMs, headers.CreationTime) * 1000);
        hash = Add(hash, headers.HasContentType, headers.ContentType);
        hash = Add(hash, headers.HasContentEncoding, headers.ContentEncoding);
        hash = Add(hash, headers.HasMessageId, headers.MessageId);
        var sum = 0UL;
        foreach (var (name, value) in properties) sum += Add(Add(0, Convert.FromHexString(name)), value);
        return Add(Add(hash, (long)sum), record.Value);
    }

    private static ulong Of(TelemetryRows rows, int row)
    {
        var hash = Add(0, rows.All.Device.Text(row));
        hash = Add(hash, rows.Module, row);
        hash = Add(hash, rows.All.EnqueuedAt[row]);
        hash = Add(hash, rows.EventAt[row]);
        hash = Add(hash, rows.ContentType, row);
        hash = Add(hash, rows.ContentEncoding, row);
        hash = Add(hash, rows.MessageId, row);
        var sum = 0UL;
        for (var i = 0; i < rows.PropertyNames.CountOf(row); i++)
            sum += Add(Add(0, rows.PropertyNames.Text(row, i)), rows.PropertyValues.Text(row, i));
        return Add(Add(hash, (long)sum), rows.Body.Text(row));
    }

    private static ulong Add(ulong hash, ReadOnlySpan<byte> bytes) =>
        (ulong.RotateLeft(hash ^ XxHash3.HashToUInt64(bytes), 29) * Mix) + (ulong)bytes.Length;

    private static ulong Add(ulong hash, bool has, ReadOnlySpan<byte> bytes) =>
        has ? Add(hash, bytes) : ulong.RotateLeft(hash ^ Absent, 29) * Mix;

    private static ulong Add(ulong hash, TextColumn column, int row) =>
        Add(hash, column.Has(row), column.Has(row) ? column.Text(row) : []);

    private static ulong Add(ulong hash, long number) => (ulong.RotateLeft(hash ^ (ulong)number, 29) * Mix) + 1;
}
