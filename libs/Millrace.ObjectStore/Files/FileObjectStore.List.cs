using System.Runtime.CompilerServices;

namespace Millrace.ObjectStore.Files;

internal sealed partial class FileObjectStore
{
    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, string? after = null, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var folder = prefix[..(prefix.LastIndexOf('/') + 1)];
        if (folder.Length > 0) ObjectKey.Check(folder[..^1]);
        foreach (var info in Walk(folder, prefix, after))
        {
            ct.ThrowIfCancellationRequested();
            yield return info;
        }

        await ValueTask.CompletedTask.ConfigureAwait(false);
    }

    /// <summary>
    /// Folders take part in the order with a slash at their end, and so the walk gives keys in the order of their
    /// characters: "a-b" comes before "a/b", and "a.b" too.
    /// </summary>
    private IEnumerable<ObjectInfo> Walk(string folder, string prefix, string? after)
    {
        foreach (var (key, entry) in EntriesOf(folder))
        {
            if (entry is FileInfo file)
            {
                if (!key.StartsWith(prefix, StringComparison.Ordinal)) continue;
                if (after is not null && string.CompareOrdinal(key, after) <= 0) continue;
                if (TryInfo(key, file) is { } info) yield return info;
            }
            else
            {
                var leadsToPrefix = key.StartsWith(prefix, StringComparison.Ordinal)
                    || prefix.StartsWith(key, StringComparison.Ordinal);
                var allBefore = after is not null && string.CompareOrdinal(key, after) < 0
                    && !after.StartsWith(key, StringComparison.Ordinal);
                if (!leadsToPrefix || allBefore) continue;
                foreach (var below in Walk(key, prefix, after)) yield return below;
            }
        }
    }

    private List<(string Key, FileSystemInfo Entry)> EntriesOf(string folder)
    {
        var entries = new List<(string Key, FileSystemInfo Entry)>();
        try
        {
            foreach (var entry in new DirectoryInfo(Path.Combine(_root, folder)).EnumerateFileSystemInfos())
            {
                var key = folder + entry.Name;
                if (!ObjectKey.IsValid(key)) continue;
                entries.Add((entry is DirectoryInfo ? key + "/" : key, entry));
            }
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }

        entries.Sort((a, b) => string.CompareOrdinal(a.Key, b.Key));
        return entries;
    }

    private static ObjectInfo? TryInfo(string key, FileInfo file)
    {
        try
        {
            return InfoOf(key, file);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
