using System.Text;
using System.Text.Json;
using Millrace.Extensions;
using Millrace.Stores.Outputs;

namespace Millrace.StreamProcessor.References;

/// <summary>
/// Rows of an output that the warm store has, in order of their times; of those that are alike in some columns the
/// latest.
/// </summary>
internal sealed class OutputReference(ReferenceOptions options, IOutputStore store, long bytesMax, TimeProvider time)
    : IReferenceSource
{
    private const int PageSize = 1_000;

    public async Task<IReadOnlyList<byte[]>> ReadAsync(CancellationToken ct)
    {
        var entries = new EntryList(bytesMax);
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var from = time.GetUtcNow() - options.AgeMax;
        string? continuation = null;
        do
        {
            var page = await store.QueryAsync(options.Output!, from, null, PageSize, continuation, ct);
            foreach (var row in page.Items)
            {
                if (options.Key.Count == 0 || keys.Add(KeyOf(row.Json))) entries.Add(Encoding.UTF8.GetBytes(row.Json));
            }

            continuation = page.Continuation;
        }
        while (continuation is not null);
        return [.. entries.Entries.Reverse()];
    }

    /// <summary>A column that the row does not have is alike with null.</summary>
    private string KeyOf(string json)
    {
        using var row = JsonDocument.Parse(json);
        return string.Join(',', options.Key.Select(column =>
            row.RootElement.TryGetProperty(column, out var value) ? value.GetRawText() : "null"));
    }
}
