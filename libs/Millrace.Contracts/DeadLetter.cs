using System.Text;

namespace Millrace.Contracts;

/// <summary>The stages that may give a record up; each replays its own.</summary>
public static class DeadLetterStages
{
    public const string Gateway = "gateway";
    public const string WarmWriter = "warm-writer";
    public const string Archiver = "archiver";
    public const string Query = "query";

    public static readonly IReadOnlyList<string> All = [Gateway, WarmWriter, Archiver, Query];
}

/// <summary>
/// A record that a stage gave up, in full, with the reason; the body of a record of the dead-letter topic. Its identity
/// is (stage, query, version, topic, partition, offset, element): the same failure found again is the same letter.
/// </summary>
/// <param name="ErrorCode">The stable code, such as SP-0007.</param>
/// <param name="Reason">One sentence with the offending value.</param>
/// <param name="Element">Which element of an array body; 0 for other bodies; -1 for the whole record.</param>
/// <param name="Key">The record's key, base64 in JSON; null when it had none.</param>
public sealed record DeadLetter(
    string Stage,
    string? Query,
    int QueryVersion,
    string Topic,
    int Partition,
    long Offset,
    int Element,
    string ErrorCode,
    string Reason,
    DateTimeOffset FirstFailedAt,
    DateTimeOffset LastFailedAt,
    byte[]? Key,
    long TimestampMs,
    IReadOnlyList<DeadLetterHeader> Headers,
    byte[] Value)
{
    /// <summary>The identity as text: a key in the store and in URLs.</summary>
    public string Id => Query is null
        ? $"{Stage}~{Topic}~{Partition}~{Offset}~{Element}"
        : $"{Stage}~{Query}~{QueryVersion}~{Topic}~{Partition}~{Offset}~{Element}";

    /// <summary>Without anything of the record, because of what is told; what replays it refuses it.</summary>
    public DeadLetter WithoutRecord(string why) =>
        this with { Key = null, Headers = [], Value = [], Reason = $"{Reason} ({why})" };

    /// <summary>The record as it was, at its own offset.</summary>
    public RecordBatch ToRecord()
    {
        using var record = new RecordBatchBuilder();
        record.Begin(TimestampMs, Key, hasKey: Key is not null);
        foreach (var header in Headers) record.AddHeader(Encoding.UTF8.GetBytes(header.Name), header.Value);
        record.End(Value);
        return new RecordBatch(new TopicPartition(Topic, Partition), Offset, 1, record.Bytes.ToArray());
    }

    /// <summary>The original record in full.</summary>
    public static DeadLetter Of(
        RecordView record, TopicPartition source, string stage, string errorCode, string reason, DateTimeOffset at,
        string? query = null, int queryVersion = 0, int element = -1)
    {
        var headers = new List<DeadLetterHeader>(record.HeaderCount);
        foreach (var header in record.Headers)
            headers.Add(new DeadLetterHeader(Encoding.UTF8.GetString(header.Name), header.Value.ToArray()));
        return new DeadLetter(stage, query, queryVersion, source.Topic, source.Partition, record.Offset, element,
            errorCode, reason, at, at, record.HasKey ? record.Key.ToArray() : null, record.TimestampMs, headers,
            record.Value.ToArray());
    }
}

public sealed record DeadLetterHeader(string Name, byte[] Value);
