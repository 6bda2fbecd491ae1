using System.Buffers.Text;

namespace Millrace.Contracts;

/// <summary>
/// What a record of an output topic says of its row beside the row itself. A record that another producer put there
/// lacks some of it. Spans into the record.
/// </summary>
public readonly ref struct OutputRecord
{
    private OutputRecord(RecordView record)
    {
        HasRowId = record.TryGetHeader(OutputHeaders.RowId, out var id);
        RowId = id;
        if (record.TryGetHeader(OutputHeaders.Query, out var owner)
            && owner.LastIndexOf((byte)'/') is >= 0 and var slash)
        {
            Query = owner[..slash];
            Version = Utf8Parser.TryParse(owner[(slash + 1)..], out int version, out _) ? version : 0;
        }

        AtMs = record.TryGetHeader(OutputHeaders.RowTime, out var text) && Utf8Parser.TryParse(text, out long ms, out _)
            ? ms
            : record.TimestampMs;
        if (record.HasKey) Device = record.Key;
    }

    public ReadOnlySpan<byte> RowId { get; }

    public bool HasRowId { get; }

    /// <summary>The query's name; empty when no query wrote it.</summary>
    public ReadOnlySpan<byte> Query { get; }

    public int Version { get; }

    /// <summary>The row's time, else when it was appended: milliseconds since 1970 UTC.</summary>
    public long AtMs { get; }

    /// <summary>The row's only device; empty when it has none.</summary>
    public ReadOnlySpan<byte> Device { get; }

    public static OutputRecord Of(RecordView record) => new(record);

    /// <summary>The identity of a row that has no other: its place.</summary>
    public static string RowIdAt(TopicPartition partition, long offset) => $"{partition}/{offset}";
}
