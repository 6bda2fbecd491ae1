using System.Text.Json;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Stores.Checkpoints;

namespace Millrace.Stores.Cassandra.Checkpoints;

/// <summary>A mark as it is kept. Of a covered or refused letter only what tells it apart is left.</summary>
/// <param name="Number">Of a late letter; null for a time mark.</param>
internal sealed record MarkRow(
    long Id, TopicPartition Input, long Offset, long ArrivalMs, int? Number, string? LetterId, bool IsCovered)
{
    public const string Fields = "id, topic, input_part, log_offset, arrival, number, letter_id, covered";

    /// <summary>Null for the row that a partition without marks has.</summary>
    public static MarkRow? Read(Row row) => row.IsNull(0)
        ? null
        : new MarkRow(row.Get<long>(0), new TopicPartition(row.Get<string>(1), row.Get<int>(2)), row.Get<long>(3),
            row.Get<long>(4), row.Get<int?>(5), row.Get<string?>(6), row.Get<bool?>(7) ?? false);

    /// <param name="letter">As JSON.</param>
    public InputMark Mark(byte[]? letter) => Number is not { } number
        ? new TimeMark(Input, Offset, ArrivalMs)
        : new LateMark(Input, Offset, number, letter is null
            ? null
            : JsonSerializer.Deserialize(letter, ContractJson.Default.DeadLetter));
}
