using System.Buffers;
using System.Text.Json;
using Millrace.EventLog.Disk;

namespace Millrace.EventLog.Local;

/// <summary>
/// A topic on disk: a folder of its name with topic.json, and in it a folder for each partition, named by its number.
/// The topic exists from the moment that topic.json does.
/// </summary>
internal static class TopicFolder
{
    private const string MetaName = "topic.json";
    private const int NameLengthMax = 200;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    public static bool IsName(string name) =>
        name.Length is > 0 and <= NameLengthMax
        && char.IsAsciiLetterOrDigit(name[0])
        && !name.AsSpan().ContainsAnyExcept(NameCharacters);

    public static string Partition(string folder, int number) =>
        Path.Combine(folder, number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Makes the topic, durably, with its partitions empty.</summary>
    public static void Make(LogRuntime runtime, string folder, TopicSpec spec)
    {
        LogRuntime.MakeFolder(runtime.Disk, folder);
        for (var number = 0; number < spec.Partitions; number++) MakePartition(runtime, Partition(folder, number));

        var path = Path.Combine(folder, MetaName);
        var unfinished = path + SegmentFile.Unfinished;
        runtime.Disk.Delete(unfinished);
        using (var file = runtime.Disk.Create(unfinished))
        {
            file.Write(JsonSerializer.SerializeToUtf8Bytes(spec, LocalJson.Default.TopicSpec), 0);
            file.Sync();
        }

        runtime.Disk.Rename(unfinished, path);
        runtime.Disk.SyncFolder(folder);
    }

    /// <summary>An empty partition, durable when this returns.</summary>
    public static void MakePartition(LogRuntime runtime, string folder)
    {
        LogRuntime.MakeFolder(runtime.Disk, folder);
        RefuseRecords(runtime.Disk, folder);
        SegmentFile.Make(runtime, folder, firstOffset: 0).File.Dispose();
    }

    /// <summary>What topic.json says; null when the topic was never finished. Damage is LOG-0002.</summary>
    public static TopicInfo? Read(ILogDisk disk, string folder)
    {
        var path = Path.Combine(folder, MetaName);
        if (!disk.FileExists(path)) return null;
        using var file = disk.Open(path);
        var bytes = new byte[Math.Min(file.Length, 64 << 10)];
        file.Read(bytes, 0);
        try
        {
            var spec = JsonSerializer.Deserialize(bytes, LocalJson.Default.TopicSpec);
            if (spec is { Partitions: > 0 } && spec.Name == Path.GetFileName(folder))
                return new TopicInfo(spec.Name, spec.Partitions);
        }
        catch (JsonException e)
        {
            throw LogRuntime.Damaged(path, 0, e.Message).AsException(e);
        }

        throw LogRuntime.Damaged(path, 0, "It does not tell of this topic.").AsException();
    }

    /// <summary>
    /// A topic without topic.json was never finished, and nothing was ever appended to it; records say that
    /// topic.json was lost.
    /// </summary>
    private static void RefuseRecords(ILogDisk disk, string folder)
    {
        foreach (var name in disk.Files(folder))
        {
            var path = Path.Combine(folder, name);
            if (!name.EndsWith(Segment.Suffix, StringComparison.Ordinal)) continue;
            using var file = disk.Open(path);
            if (file.Length > SegmentHeader.Size || SegmentFile.FirstOffset(name) != 0)
            {
                var detail = $"It has records, and {MetaName} of its topic is missing.";
                throw LogRuntime.Damaged(path, 0, detail).AsException();
            }
        }
    }
}
