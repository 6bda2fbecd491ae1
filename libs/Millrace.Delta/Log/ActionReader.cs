using System.Text.Json;
using Millrace.Delta.Schema;

namespace Millrace.Delta.Log;

/// <summary>Reads a log entry. Actions that we do not know are passed over, as the protocol asks.</summary>
internal static class ActionReader
{
    /// <summary>The entry's actions in order, or an error DL-0001 that names <paramref name="key"/>.</summary>
    public static List<DeltaAction> Read(string key, ReadOnlyMemory<byte> entry)
    {
        var actions = new List<DeltaAction>();
        try
        {
            while (!entry.IsEmpty)
            {
                var end = entry.Span.IndexOf((byte)'\n');
                var line = end < 0 ? entry : entry[..end];
                entry = end < 0 ? default : entry[(end + 1)..];
                if (line.Span.Trim(" \r\t"u8).IsEmpty) continue;
                using var document = JsonDocument.Parse(line);
                foreach (var property in document.RootElement.EnumerateObject())
                {
                    if (ReadAction(property.Name, property.Value) is { } action) actions.Add(action);
                }
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException)
        {
            throw DeltaErrors.EntryDamaged.With(key, e.Message).AsException(e);
        }

        return actions;
    }

    private static DeltaAction? ReadAction(string name, JsonElement body) => name switch
    {
        "commitInfo" => ReadCommitInfo(body),
        "protocol" => new Protocol(
            body.GetProperty("minReaderVersion").GetInt32(), body.GetProperty("minWriterVersion").GetInt32()),
        "metaData" => ReadMetadata(body),
        "add" => ReadAdd(body),
        "remove" => new RemoveFile(
            body.GetProperty("path").GetString()!, LongOr0(body, "deletionTimestamp"),
            body.GetProperty("dataChange").GetBoolean()),
        "txn" => new SetTransaction(
            body.GetProperty("appId").GetString()!, body.GetProperty("version").GetInt64(),
            LongOr0(body, "lastUpdated")),
        _ => null,
    };

    private static CommitInfo ReadCommitInfo(JsonElement body) => new(
        TextOrEmpty(body, "txnId"), LongOr0(body, "timestamp"), TextOrEmpty(body, "operation"),
        body.TryGetProperty("isBlindAppend", out var blind) && blind.ValueKind == JsonValueKind.True)
    {
        Details = TextsOf(body, "operationParameters"),
    };

    private static Metadata ReadMetadata(JsonElement body) => new(
        body.GetProperty("id").GetString()!,
        DeltaSchema.Parse(body.GetProperty("schemaString").GetString()!),
        [.. body.GetProperty("partitionColumns").EnumerateArray().Select(column => column.GetString()!)],
        LongOr0(body, "createdTime"))
    {
        Configuration = TextsOf(body, "configuration"),
    };

    private static AddFile ReadAdd(JsonElement body)
    {
        var partitionValues = new Dictionary<string, string>();
        foreach (var value in body.GetProperty("partitionValues").EnumerateObject())
            partitionValues[value.Name] = value.Value.GetString() ?? "";
        return new AddFile(
            body.GetProperty("path").GetString()!,
            partitionValues,
            body.GetProperty("size").GetInt64(),
            LongOr0(body, "modificationTime"),
            body.GetProperty("dataChange").GetBoolean(),
            body.TryGetProperty("stats", out var stats) && stats.GetString() is { Length: > 0 } text
                ? ReadStats(text)
                : null);
    }

    /// <summary>An object of texts; of anything else its JSON.</summary>
    private static Dictionary<string, string> TextsOf(JsonElement body, string name)
    {
        var texts = new Dictionary<string, string>();
        if (!body.TryGetProperty(name, out var section) || section.ValueKind != JsonValueKind.Object) return texts;
        foreach (var value in section.EnumerateObject()) texts[value.Name] = value.Value.ToString();
        return texts;
    }

    /// <summary>Statistics as the protocol has them, in JSON.</summary>
    public static FileStats ReadStats(string text)
    {
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        var minima = ValuesOf(root, "minValues");
        var maxima = ValuesOf(root, "maxValues");
        var nulls = ValuesOf(root, "nullCount");
        var names = nulls.Keys.Union(minima.Keys).Union(maxima.Keys);
        var columns = names.Select(name => new ColumnStats(
            name, minima.GetValueOrDefault(name), maxima.GetValueOrDefault(name),
            nulls.GetValueOrDefault(name) as long?));
        return new FileStats(LongOr0(root, "numRecords"), [.. columns]);
    }

    private static Dictionary<string, object> ValuesOf(JsonElement stats, string name)
    {
        var values = new Dictionary<string, object>();
        if (!stats.TryGetProperty(name, out var section)) return values;
        foreach (var value in section.EnumerateObject())
        {
            switch (value.Value.ValueKind)
            {
                case JsonValueKind.String: values[value.Name] = value.Value.GetString()!; break;
                case JsonValueKind.Number:
                    values[value.Name] = value.Value.TryGetInt64(out var whole)
                        ? (object)whole
                        : value.Value.GetDouble();
                    break;
            }
        }

        return values;
    }

    private static string TextOrEmpty(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static long LongOr0(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : 0;
}
