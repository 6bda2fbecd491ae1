using System.Text;
using System.Text.Json;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace Millrace.Integration.Tests.Archive;

/// <summary>
/// Reads a Delta table by the public protocol alone, with a Parquet library that the platform does not use: what any
/// tool of the world would see. Shares nothing with the platform's code.
/// </summary>
internal static class IndependentDeltaReader
{
    /// <summary>A row: some of its values, those of the partition folder included.</summary>
    internal sealed record Row(
        int Partition, long Offset, string Device, DateTime EnqueuedAt, string Body, string Date, string Hour,
        double? Temperature, IReadOnlyDictionary<string, string> Properties);

    /// <summary>All rows, and the positions (txn actions) of the newest version.</summary>
    public static async Task<(List<Row> Rows, Dictionary<string, long> Positions)> ReadAsync(string table)
    {
        var files = new Dictionary<string, JsonElement>();
        var positions = new Dictionary<string, long>();
        for (var version = 0L; ; version++)
        {
            var entry = Path.Combine(table, "_delta_log", $"{version:D20}.json");
            if (!File.Exists(entry)) break;
            foreach (var line in await File.ReadAllLinesAsync(entry))
            {
                var action = JsonDocument.Parse(line).RootElement.EnumerateObject().Single();
                var body = action.Value;
                switch (action.Name)
                {
                    case "protocol":
                        Assert.That(body.GetProperty("minReaderVersion").GetInt32(), Is.EqualTo(1));
                        Assert.That(body.GetProperty("minWriterVersion").GetInt32(), Is.EqualTo(2));
                        break;
                    case "add": files[body.GetProperty("path").GetString()!] = body; break;
                    case "remove": files.Remove(body.GetProperty("path").GetString()!); break;
                    case "txn":
                        positions[body.GetProperty("appId").GetString()!] = body.GetProperty("version").GetInt64();
                        break;
                }
            }
        }

        var rows = new List<Row>();
        foreach (var (path, add) in files) rows.AddRange(await ReadFileAsync(Path.Combine(table, path), add));
        return (rows, positions);
    }

    private static async Task<List<Row>> ReadFileAsync(string path, JsonElement add)
    {
        Assert.That(new FileInfo(path).Length, Is.EqualTo(add.GetProperty("size").GetInt64()), path);
        await using var reader = await ParquetReader.CreateAsync(path);
        var fields = reader.Schema.GetDataFields().ToDictionary(field => field.Path.ToString());
        var folder = add.GetProperty("partitionValues");
        var rows = new List<Row>();
        for (var i = 0; i < reader.RowGroupCount; i++)
        {
            using var group = reader.OpenRowGroupReader(i);
            var count = (int)group.RowCount;
            var devices = await ColumnAsync<ReadOnlyMemory<char>>(group, fields["device_id"]);
            var partitions = await ColumnAsync<int>(group, fields["log_partition"]);
            var offsets = await ColumnAsync<long>(group, fields["log_offset"]);
            var times = await ColumnAsync<DateTime>(group, fields["enqueued_at"]);
            var bodies = await ColumnAsync<ReadOnlyMemory<byte>>(group, fields["body"]);
            var temperatures = await ColumnAsync<double>(group, fields["temperature"]);
            var names = await ColumnAsync<ReadOnlyMemory<char>>(group, fields["properties/key_value/key"]);
            var values = await ColumnAsync<ReadOnlyMemory<char>>(group, fields["properties/key_value/value"]);
            for (var row = 0; row < count; row++)
            {
                rows.Add(new Row(
                    partitions[row].Single(), offsets[row].Single(), devices[row].Single().ToString(),
                    times[row].Single(),
                    Encoding.UTF8.GetString(bodies[row].Single().Span), folder.GetProperty("date").GetString()!,
                    folder.GetProperty("hour").GetString()!, temperatures[row].Count == 0 ? null : temperatures[row][0],
                    names[row].Zip(values[row]).ToDictionary(pair => $"{pair.First}", pair => $"{pair.Second}")));
            }
        }

        var stats = JsonDocument.Parse(add.GetProperty("stats").GetString()!).RootElement;
        Assert.That(stats.GetProperty("numRecords").GetInt64(), Is.EqualTo(rows.Count));
        Assert.That(stats.GetProperty("minValues").GetProperty("device_id").GetString(), Is.EqualTo(rows[0].Device));
        Assert.That(stats.GetProperty("maxValues").GetProperty("device_id").GetString(), Is.EqualTo(rows[^1].Device));
        return rows;
    }

    /// <summary>The values of each row: none or one of a plain column, any number of a map's leaf.</summary>
    private static async Task<List<T>[]> ColumnAsync<T>(ParquetRowGroupReader group, DataField field) where T : struct
    {
        var rows = new List<List<T>>();
        using var column = (RawColumnData<T>)await group.ReadRawColumnDataBaseAsync(field);
        var next = 0;
        var levels = field.MaxDefinitionLevel == 0 ? column.Values.Length : column.DefinitionLevels.Length;
        for (var i = 0; i < levels; i++)
        {
            if (field.MaxRepetitionLevel == 0 || column.RepetitionLevels[i] == 0) rows.Add([]);
            var defined = field.MaxDefinitionLevel == 0 || column.DefinitionLevels[i] == field.MaxDefinitionLevel;
            if (defined) rows[^1].Add(column.Values[next++]);
        }

        return [.. rows];
    }
}
