using System.Text;
using System.Text.Json;
using Millrace.Extensions;
using Millrace.Stores.Outputs;

namespace Millrace.StreamProcessor.References;

/// <summary>
/// Rows of an output that the warm store has, in order of their times; of those that are alike in some columns the
/// latest. Nothing is read as long as the store has taken no more of the output.
/// </summary>
internal sealed class OutputReference(
    ReferenceOptions options, IOutputStore store, StoredTopic stored, long bytesMax, TimeProvider time)
    : IReferenceSource
{
    private const int PageSize = 1_000;

    /// <summary>The newest first.</summary>
    private List<(DateTimeOffset At, byte[] Entry)> _rows = [];

    public async Task<IReadOnlyList<byte[]>> ReadAsync(CancellationToken ct)
    {
        var from = time.GetUtcNow() - options.AgeMax;
        if (await stored.ChangedAsync(ct) is { } reading)
        {
            _rows = await ReadAllAsync(from, ct);
            reading.Done();
        }

        _rows.RemoveAll(row => row.At < from);
        return [.. Enumerable.Reverse(_rows).Select(row => row.Entry)];
    }

    private async Task<List<(DateTimeOffset At, byte[] Entry)>> ReadAllAsync(DateTimeOffset from, CancellationToken ct)
    {
        var rows = new List<(DateTimeOffset At, byte[] Entry)>();
        var size = new EntryList(bytesMax);
        var keys = new HashSet<string>(StringComparer.Ordinal);
        string? continuation = null;
        do
        {
            var page = await store.QueryAsync(options.Output!, from, null, PageSize, continuation, ct);
            foreach (var row in page.Items)
            {
                if (options.Key.Count > 0 && !keys.Add(KeyOf(row.Json))) continue;
                rows.Add((row.At, Encoding.UTF8.GetBytes(row.Json)));
                size.Add(rows[^1].Entry);
            }

            continuation = page.Continuation;
        }
        while (continuation is not null);
        return rows;
    }

    /// <summary>A column that the row does not have is alike with null.</summary>
    private string KeyOf(string json)
    {
        using var row = JsonDocument.Parse(json);
        return string.Join(',', options.Key.Select(column =>
            row.RootElement.TryGetProperty(column, out var value) ? value.GetRawText() : "null"));
    }
}
