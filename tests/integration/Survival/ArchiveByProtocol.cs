using System.Text;
using System.Text.Json;
using Parquet;
using Parquet.Schema;

namespace Millrace.Integration.Tests.Survival;

/// <summary>
/// Reads the archive by the public Delta protocol alone, and shares nothing with the platform's own code: the numbered
/// JSON commits, in order, say which files are the table.
/// </summary>
internal static class ArchiveByProtocol
{
    public static async Task<List<(int Partition, long Offset, string Device, string Body)>> RowsAsync(string table)
    {
        var rows = new List<(int, long, string, string)>();
        foreach (var file in Files(table))
        {
            await using var reader = await ParquetReader.CreateAsync(file);
            for (var group = 0; group < reader.RowGroupCount; group++)
            {
                using var part = reader.OpenRowGroupReader(group);
                var count = (int)part.RowCount;
                var partitions = await NumbersAsync<int>(part, Field(reader, "log_partition"), count);
                var offsets = await NumbersAsync<long>(part, Field(reader, "log_offset"), count);
                var devices = new string?[count];
                var bodies = new byte[]?[count];
                await part.ReadAsync(Field(reader, "device_id"), devices.AsMemory());
                await part.ReadAsync(Field(reader, "body"), bodies.AsMemory());
                for (var i = 0; i < count; i++)
                    rows.Add((partitions[i], offsets[i], devices[i]!, Encoding.UTF8.GetString(bodies[i]!)));
            }
        }

        return rows;
    }

    private static DataField Field(ParquetReader reader, string name) =>
        reader.Schema.GetDataFields().Single(f => f.Name == name);

    private static async Task<T[]> NumbersAsync<T>(ParquetRowGroupReader group, DataField field, int count)
        where T : struct
    {
        if (!field.IsNullable)
        {
            var plain = new T[count];
            await group.ReadAsync(field, plain.AsMemory());
            return plain;
        }

        var numbers = new T?[count];
        await group.ReadAsync(field, numbers.AsMemory());
        return [.. numbers.Select(n => n!.Value)];
    }

    private static List<string> Files(string table)
    {
        var files = new HashSet<string>();
        foreach (var commit in Directory.GetFiles(Path.Combine(table, "_delta_log"), "*.json").Order())
        {
            foreach (var line in File.ReadLines(commit))
            {
                using var action = JsonDocument.Parse(line);
                if (action.RootElement.TryGetProperty("add", out var add))
                    files.Add(Uri.UnescapeDataString(add.GetProperty("path").GetString()!));
                if (action.RootElement.TryGetProperty("remove", out var remove))
                    files.Remove(Uri.UnescapeDataString(remove.GetProperty("path").GetString()!));
            }
        }

        return [.. files.Select(f => Path.Combine(table, f))];
    }
}
