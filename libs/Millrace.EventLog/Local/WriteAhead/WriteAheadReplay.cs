using Microsoft.Extensions.Logging;
using Millrace.EventLog.Disk;

namespace Millrace.EventLog.Local.WriteAhead;

/// <summary>Brings what the write-ahead log has into the segments.</summary>
internal static class WriteAheadReplay
{
    /// <summary>
    /// Before the log opens: after this the segments have all that was acknowledged, and the files are gone. LOG-0002
    /// when a frame is damaged.
    /// </summary>
    public static void Run(ILogDisk disk, string root, string folder, ILogger log)
    {
        if (!disk.FolderExists(folder)) return;
        var names = disk.Files(folder);
        if (names.Count == 0) return;
        var contents = Read(disk, names.Select(name => Path.Combine(folder, name)));
        foreach (var content in contents) content.RefuseDamage();
        if (contents is [var older, var newer] && older.NextNumber != newer.FirstNumber)
        {
            var detail = $"Frames {older.NextNumber} to {newer.FirstNumber - 1} should be there.";
            throw LogRuntime.Damaged(folder, older.End, detail).AsException();
        }

        var batches = contents.SelectMany(content => content.Batches).ToLookup(batch => (batch.Path, batch.Salt));
        foreach (var segment in batches) Restore(disk, Path.Combine(root, segment.Key.Path), segment.Key.Salt, segment);
        foreach (var name in names) disk.Delete(Path.Combine(folder, name));
        disk.SyncFolder(folder);
        if (batches.Count > 0) log.AheadReplayed(batches.Sum(segment => segment.Count()), batches.Count);
    }

    /// <summary>The files that have a head, the older one first.</summary>
    public static List<WriteAheadContent> Read(ILogDisk disk, IEnumerable<string> paths) => paths
        .Select(path => WriteAheadContent.Read(disk, path))
        .OfType<WriteAheadContent>()
        .OrderBy(content => content.FirstNumber)
        .ToList();

    /// <summary>
    /// Writes the batches where they stand, and syncs them. A segment that is not there any more was trimmed; one with
    /// another salt took the place of one that never had records.
    /// </summary>
    public static void Restore(ILogDisk disk, string path, ulong salt, IEnumerable<AheadBatch> batches)
    {
        if (!disk.FileExists(path)) return;
        using var file = disk.Open(path);
        Span<byte> head = stackalloc byte[SegmentHeader.Size];
        var hasHead = file.Read(head, 0) == head.Length && SegmentHeader.TryRead(head, out _);
        SegmentHeader.TryRead(head, out var header);
        if (!hasHead || header.Salt != salt) return;
        foreach (var batch in batches) file.Write(batch.Bytes.Span, batch.Position);
        file.Sync();
    }
}
