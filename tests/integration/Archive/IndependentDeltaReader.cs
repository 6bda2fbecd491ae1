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
        var log = await IndependentDeltaLog.ReadAsync(table);
        var rows = new List<Row>();
        foreach (var file in log.Files.Values)
            rows.AddRange(await ReadFileAsync(Path.Combine(table, file.Path), file));
        return (rows, log.Positions);
    }

    /// <summary>The rows of a query's output: identities and bodies.</summary>
    public static async Task<List<(string RowId, string Body)>> ReadOutputAsync(string table)
    {
        var rows = new List<(string, string)>();
        foreach (var file in (await IndependentDeltaLog.ReadAsync(table)).Files.Values)
        {
            await using var reader = await ParquetReader.CreateAsync(Path.Combine(table, file.Path));
            var fields = reader.Schema.GetDataFields().ToDictionary(field => field.Path.ToString());
            for (var i = 0; i < reader.RowGroupCount; i++)
            {
                using var group = reader.OpenRowGroupReader(i);
                var ids = await ColumnAsync<ReadOnlyMemory<char>>(group, fields["row_id"]);
                var bodies = await ColumnAsync<ReadOnlyMemory<char>>(group, fields["body"]);
                rows.AddRange(ids.Zip(bodies, (id, body) => (id.Single().ToString(), body.Single().ToString())));
            }
        }

        return rows;
    }

    private static async Task<List<Row>> ReadFileAsync(string path, IndependentDeltaLog.DataFile file)
    {
        Assert.That(new FileInfo(path).Length, Is.EqualTo(file.Size), path);
        await using var reader = await ParquetReader.CreateAsync(path);
        var fields = reader.Schema.GetDataFields().ToDictionary(field => field.Path.ToString());
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
                    Encoding.UTF8.GetString(bodies[row].Single().Span), file.Folder["date"],
                    file.Folder["hour"], temperatures[row].Count == 0 ? null : temperatures[row][0],
                    names[row].Zip(values[row]).ToDictionary(pair => $"{pair.First}", pair => $"{pair.Second}")));
            }
        }

        var stats = JsonDocument.Parse(file.Stats).RootElement;
        Assert.That(stats.GetProperty("numRecords").GetInt64(), Is.EqualTo(rows.Count));
        Assert.That(stats.GetProperty("minValues").GetProperty("device_id").GetString(), Is.EqualTo(rows[0].Device));
        Assert.That(stats.GetProperty("maxValues").GetProperty("device_id").GetString(), Is.EqualTo(rows[^1].Device));
        return rows;
    }

    /// <summary>The values of each row: none or one of a plain column, any number of a map's leaf.</summary>
    public static async Task<List<T>[]> ColumnAsync<T>(ParquetRowGroupReader group, DataField field) where T : struct
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
