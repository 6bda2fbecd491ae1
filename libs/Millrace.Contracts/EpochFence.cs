using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Millrace.Contracts;

/// <summary>
/// The reader's side of the fences: rows of a lower epoch than was seen before in this partition, of the same query and
/// version, were written by a stale owner and do not count.
/// </summary>
public sealed class EpochFence
{
    private readonly Dictionary<string, long> _epochs;

    /// <param name="metadata">What <see cref="Metadata"/> gave at the reader's position; null at the beginning.</param>
    public EpochFence(string? metadata) => _epochs = metadata is null
        ? []
        : JsonSerializer.Deserialize<Dictionary<string, long>>(metadata) ?? [];

    /// <summary>The fence of a reader that has seen this epoch of one query's version.</summary>
    public static EpochFence After(string query, long epoch)
    {
        var fence = new EpochFence(null);
        fence._epochs[query] = epoch;
        return fence;
    }

    /// <summary>The epochs seen so far, to be kept with the reader's position.</summary>
    public string Metadata => JsonSerializer.Serialize(_epochs);

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
        var seen = _epochs.GetValueOrDefault(key);
        if (epoch < seen) return false;
        if (epoch > seen) _epochs[key] = epoch;
        return !record.TryGetHeader(OutputHeaders.Fence, out _);
    }
}
