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

    /// <summary>Whether an input has been read further.</summary>
    public bool IsPassed(IReadOnlyList<PartitionOffset> inputs)
    {
        foreach (var (partition, offset) in inputs)
        {
            if (partition == Input && offset > Offset) return true;
        }

        return false;
    }

    /// <summary>
    /// The time marks that inputs have passed, and those that a later one replaces, as ranges between marks that stay.
    /// </summary>
    /// <param name="marks">All, by their number.</param>
    public static IEnumerable<(long After, long Last)> Passed(
        IReadOnlyList<MarkRow> marks, IReadOnlyList<PartitionOffset> inputs)
    {
        var replaced = Replaced(marks);
        var (after, last) = (0L, 0L);
        foreach (var mark in marks)
        {
            if (mark.Number is null && (replaced.Contains(mark.Id) || mark.IsPassed(inputs)))
            {
                last = mark.Id;
                continue;
            }

            if (last > after) yield return (after, last);
            after = mark.Id;
        }

        if (last > after) yield return (after, last);
    }

    /// <summary>Those before programs that replace a mark at once.</summary>
    private static HashSet<long> Replaced(IReadOnlyList<MarkRow> marks)
    {
        var (replaced, next) = (new HashSet<long>(), new Dictionary<TopicPartition, MarkRow>());
        foreach (var mark in marks.Reverse())
        {
            if (mark.Number is null && next.TryGetValue(mark.Input, out var later) && later.ArrivalMs >= mark.ArrivalMs
                && later.Mark(null) is TimeMark time && time.Replaces(mark.Mark(null)))
                replaced.Add(mark.Id);
            next[mark.Input] = mark;
        }

        return replaced;
    }

    /// <param name="letter">As JSON.</param>
    public InputMark Mark(byte[]? letter) => Number is not { } number
        ? new TimeMark(Input, Offset, ArrivalMs)
        : new LateMark(Input, Offset, number, letter is null
            ? null
            : JsonSerializer.Deserialize(letter, ContractJson.Default.DeadLetter));
}
