using System.Buffers.Text;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Millrace.Contracts;

/// <summary>
/// The reader's side of the fences: rows of a lower epoch than was seen before in this partition, of the same query and
/// version, were written by a stale owner and do not count.
/// </summary>
public sealed class EpochFence
{
    /// <param name="metadata">What <see cref="Metadata"/> gave at the reader's position; null at the beginning.</param>
    public EpochFence(string? metadata) => Epochs = metadata is null
        ? ImmutableDictionary<string, long>.Empty
        : JsonSerializer.Deserialize<Dictionary<string, long>>(metadata)!.ToImmutableDictionary();

    /// <summary>The epochs seen so far, by query and version; to be kept with the reader's position.</summary>
    public ImmutableDictionary<string, long> Epochs { get; private set; }

    /// <summary>The same as text.</summary>
    public string Metadata => JsonSerializer.Serialize(Epochs);

    /// <summary>The fence of a reader that has seen this epoch of one query's version.</summary>
    public static EpochFence After(string query, long epoch) => At([KeyValuePair.Create(query, epoch)]);

    /// <param name="epochs">What <see cref="Epochs"/> were at the reader's position.</param>
    public static EpochFence At(IEnumerable<KeyValuePair<string, long>> epochs) =>
        new(null) { Epochs = epochs.ToImmutableDictionary() };

    /// <summary>Whether the record is a row that counts.</summary>
    public bool Admits(RecordView record)
    {
        if (!record.TryGetHeader(OutputHeaders.Query, out var query) ||
            !record.TryGetHeader(OutputHeaders.Epoch, out var text) ||
            !Utf8Parser.TryParse(text, out long epoch, out _))
        {
            // Not written by a query: rows that another producer put there have no owner.
            return true;
        }

        var key = Encoding.UTF8.GetString(query);
        var seen = Epochs.GetValueOrDefault(key);
        if (epoch < seen) return false;
        if (epoch > seen) Epochs = Epochs.SetItem(key, epoch);
        return !record.TryGetHeader(OutputHeaders.Fence, out _);
    }
}
