using System.Text.Json;
using Parquet;

namespace Millrace.Integration.Tests.Archive;

/// <summary>
/// The log of a Delta table as the public protocol says: the newest checkpoint, and the entries after it. Shares
/// nothing with the platform's code.
/// </summary>
internal sealed class IndependentDeltaLog
{
    internal sealed record DataFile(string Path, long Size, string Stats, IReadOnlyDictionary<string, string> Folder);

    /// <summary>The files of the newest version, by path.</summary>
    public Dictionary<string, DataFile> Files { get; } = [];

    /// <summary>The positions (txn actions), by application id.</summary>
    public Dictionary<string, long> Positions { get; } = [];

    /// <summary>The version of the checkpoint that was read; null when there was none.</summary>
    public long? Checkpoint { get; private init; }

    /// <param name="useCheckpoint">False: reads the entries from the first on, which must all be there yet.</param>
    public static async Task<IndependentDeltaLog> ReadAsync(string table, bool useCheckpoint = true)
    {
        var folder = Path.Combine(table, "_delta_log");
        var hint = Path.Combine(folder, "_last_checkpoint");
        var log = new IndependentDeltaLog
        {
            Checkpoint = useCheckpoint && File.Exists(hint)
                ? JsonDocument.Parse(await File.ReadAllTextAsync(hint)).RootElement.GetProperty("version").GetInt64()
                : null,
        };
        if (log.Checkpoint is { } checkpoint)
            await log.TakeCheckpointAsync(Path.Combine(folder, $"{checkpoint:D20}.checkpoint.parquet"));
        for (var version = log.Checkpoint + 1 ?? 0; ; version++)
        {
            var entry = Path.Combine(folder, $"{version:D20}.json");
            if (!File.Exists(entry)) return log;
            foreach (var line in await File.ReadAllLinesAsync(entry)) log.Take(line);
        }
    }

    private void Take(string line)
    {
        var action = JsonDocument.Parse(line).RootElement.EnumerateObject().Single();
        var body = action.Value;
        switch (action.Name)
        {
            case "protocol":
                Assert.That(body.GetProperty("minReaderVersion").GetInt32(), Is.EqualTo(1));
                Assert.That(body.GetProperty("minWriterVersion").GetInt32(), Is.EqualTo(2));
                break;
            case "add":
                Add(new DataFile(
                    body.GetProperty("path").GetString()!, body.GetProperty("size").GetInt64(),
                    body.GetProperty("stats").GetString()!,
                    body.GetProperty("partitionValues").EnumerateObject()
                        .ToDictionary(value => value.Name, value => value.Value.GetString()!)));
                break;
            case "remove": Files.Remove(body.GetProperty("path").GetString()!); break;
            case "txn":
                Positions[body.GetProperty("appId").GetString()!] = body.GetProperty("version").GetInt64();
                break;
        }
    }

    private async Task TakeCheckpointAsync(string path)
    {
        await using var reader = await ParquetReader.CreateAsync(path);
        var fields = reader.Schema.GetDataFields().ToDictionary(field => field.Path.ToString());
        for (var i = 0; i < reader.RowGroupCount; i++)
        {
            using var group = reader.OpenRowGroupReader(i);
            var paths = await TextAsync("add/path");
            var sizes = await IndependentDeltaReader.ColumnAsync<long>(group, fields["add/size"]);
            var stats = await TextAsync("add/stats");
            var names = await TextAsync("add/partitionValues/key_value/key");
            var values = await TextAsync("add/partitionValues/key_value/value");
            var apps = await TextAsync("txn/appId");
            var versions = await IndependentDeltaReader.ColumnAsync<long>(group, fields["txn/version"]);
            for (var row = 0; row < group.RowCount; row++)
            {
                if (apps[row].Count == 1) Positions.Add(apps[row][0], versions[row][0]);
                if (paths[row].Count == 0) continue;
                Add(new DataFile(paths[row][0], sizes[row][0], stats[row][0],
                    names[row].Zip(values[row]).ToDictionary(pair => pair.First, pair => pair.Second)));
            }

            async Task<List<List<string>>> TextAsync(string name) =>
                [.. (await IndependentDeltaReader.ColumnAsync<ReadOnlyMemory<char>>(group, fields[name]))
                    .Select(row => row.ConvertAll(text => text.ToString()))];
        }
    }

    private void Add(DataFile file) =>
        Assert.That(Files.TryAdd(file.Path, file), Is.True, $"{file.Path} is added twice");
}
