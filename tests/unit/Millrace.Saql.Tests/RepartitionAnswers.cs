using System.Text;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>What came out, each once; the same identity with something else is an error.</summary>
internal sealed class RepartitionAnswers(QueryPlan plan) : IQueryRowSink
{
    public SortedDictionary<string, string> Rows { get; } = new(StringComparer.Ordinal);

    /// <summary>By what the letter of each is known.</summary>
    public SortedDictionary<string, List<string>> Failures { get; } = new(StringComparer.Ordinal);

    /// <summary>How often what failed counts, by the same.</summary>
    public SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    /// <summary>Each once, though what failed may be read again.</summary>
    public IEnumerable<string> Reasons =>
        Failures.Values.SelectMany(told => told).Distinct().Order(StringComparer.Ordinal);

    public SortedSet<string> Drops { get; } = new(StringComparer.Ordinal);

    public void Row(in QueryRow row)
    {
        var id = Encoding.UTF8.GetString(row.RowId);
        var text = $"{plan.Outputs[row.Output]} {row.TimestampMs} {Encoding.UTF8.GetString(row.DeviceId)} " +
            Encoding.UTF8.GetString(row.Json);
        if (Rows.TryAdd(id, text) || Rows[id] == text) return;
        throw new InvalidOperationException($"{id} is {Rows[id]} and {text}");
    }

    public void Failed(in QueryRowFailure failure)
    {
        var letter = $"{failure.Source} {failure.Offset} {failure.Element}";
        if (!Failures.TryGetValue(letter, out var told)) Failures[letter] = told = [];
        Counts[letter] = Counts.GetValueOrDefault(letter) + (failure.CountsElsewhere ? 0 : 1);
        told.Add($"{letter} {failure.Code} {failure.Reason} {failure.IsTaken}");
    }

    public void Dropped(TopicPartition source, long offset, int element, bool isLate) =>
        Drops.Add($"{source} {offset}");
}
