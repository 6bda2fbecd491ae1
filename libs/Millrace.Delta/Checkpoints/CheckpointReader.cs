using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using ParquetSharp;

namespace Millrace.Delta.Checkpoints;

/// <summary>Reads a checkpoint, ours or another program's, as the actions that lead to its state.</summary>
internal static class CheckpointReader
{
    /// <summary>DL-0001 when it cannot be read.</summary>
    public static List<DeltaAction> Read(string key, byte[] content)
    {
        try
        {
            using var stream = new MemoryStream(content, writable: false);
            using var file = new ParquetFileReader(stream, leaveOpen: true);
            var actions = new List<DeltaAction>();
            for (var i = 0; i < file.FileMetaData.NumRowGroups; i++)
            {
                using var group = file.RowGroup(i);
                ReadGroup(new CheckpointGroup(file, group), actions);
            }

            return actions;
        }
        catch (Exception e) when (e is ParquetException or InvalidDataException or FormatException
            or System.Text.Json.JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw DeltaErrors.EntryDamaged.With(key, e.Message).AsException(e);
        }
    }

    private static void ReadGroup(CheckpointGroup group, List<DeltaAction> actions)
    {
        var (reader, writer) = (group.Ints("protocol.minReaderVersion"), group.Ints("protocol.minWriterVersion"));
        for (var row = 0; row < group.Rows; row++)
        {
            if (reader[row] is { } min) actions.Add(new Protocol(min, writer[row] ?? 0));
        }

        ReadMetadata(group, actions);
        ReadTransactions(group, actions);
        ReadFiles(group, actions);
        var (paths, deleted) = (group.Texts("remove.path"), group.Longs("remove.deletionTimestamp"));
        for (var row = 0; row < group.Rows; row++)
        {
            if (paths[row] is { } path) actions.Add(new RemoveFile(path, deleted[row] ?? 0, DataChange: false));
        }
    }

    private static void ReadMetadata(CheckpointGroup group, List<DeltaAction> actions)
    {
        var ids = group.Texts("metaData.id");
        var row = Array.FindIndex(ids, id => id is not null);
        if (row < 0) return;
        actions.Add(new Metadata(
            ids[row]!,
            DeltaSchema.Parse(group.Texts("metaData.schemaString")[row]
                ?? throw new InvalidDataException("No schema.")),
            group.Lists("metaData.partitionColumns.*.*")[row],
            group.Longs("metaData.createdTime")[row] ?? 0)
        {
            Configuration = group.Maps("metaData.configuration")[row],
        });
    }

    private static void ReadTransactions(CheckpointGroup group, List<DeltaAction> actions)
    {
        var apps = group.Texts("txn.appId");
        var (versions, updated) = (group.Longs("txn.version"), group.Longs("txn.lastUpdated"));
        for (var row = 0; row < group.Rows; row++)
        {
            if (apps[row] is { } app) actions.Add(new SetTransaction(app, versions[row] ?? 0, updated[row] ?? 0));
        }
    }

    private static void ReadFiles(CheckpointGroup group, List<DeltaAction> actions)
    {
        var paths = group.Texts("add.path");
        var partitions = group.Maps("add.partitionValues");
        var (sizes, times) = (group.Longs("add.size"), group.Longs("add.modificationTime"));
        var (changes, stats) = (group.Bools("add.dataChange"), group.Texts("add.stats"));
        for (var row = 0; row < group.Rows; row++)
        {
            if (paths[row] is not { } path) continue;
            actions.Add(new AddFile(
                path, partitions[row], sizes[row] ?? 0, times[row] ?? 0, changes[row] ?? false,
                stats[row] is { Length: > 0 } text ? ActionReader.ReadStats(text) : null));
        }
    }
}
