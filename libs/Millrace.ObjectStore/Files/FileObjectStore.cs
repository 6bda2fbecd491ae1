using System.Collections.Concurrent;

namespace Millrace.ObjectStore.Files;

/// <summary>
/// Objects as files below one folder, each at the path of its key. A file is written under another name, synced, and
/// then given its own name in one step, so that whoever sees it sees it whole; several processes may share the folder.
/// </summary>
internal sealed partial class FileObjectStore : IObjectStore
{
    /// <summary>Where files are while they are written. No key begins with a dot, so no key leads here.</summary>
    internal const string UnfinishedFolder = ".unfinished";

    private readonly string _root;
    private readonly IDisk _disk;
    private readonly ObjectStoreMetrics _metrics;

    /// <summary>
    /// Folders whose own names are known to be durable. One that we only see may be another's, unsynced.
    /// </summary>
    private readonly ConcurrentDictionary<string, bool> _durableFolders = new();

    private FileObjectStore(string root, IDisk disk, ObjectStoreMetrics metrics)
    {
        _root = root;
        _disk = disk;
        _metrics = metrics;
    }

    /// <summary>
    /// Makes the folder when it is missing, and removes what crashed writers left. OB-0003 when it cannot.
    /// </summary>
    public static FileObjectStore Open(
        string root, TimeSpan unfinishedFileAge, IDisk disk, TimeProvider time, ObjectStoreMetrics metrics)
    {
        var store = new FileObjectStore(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)), disk, metrics);
        try
        {
            store.MakeFolder(store.Unfinished);
            var oldest = time.GetUtcNow() - unfinishedFileAge;
            foreach (var file in new DirectoryInfo(store.Unfinished).EnumerateFiles())
            {
                if (file.LastWriteTimeUtc < oldest.UtcDateTime) disk.Delete(file.FullName);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ObjectStoreErrors.FolderUnusable.With(root, e.Message).AsException(e);
        }

        return store;
    }

    private string Unfinished => Path.Combine(_root, UnfinishedFolder);

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        var path = PathOf(key);
        return Blocking(key, () => WriteFile(path, file => file.Write(content.Span), Replace), ct);
    }

    public ValueTask PutAsync(string key, Stream content, CancellationToken ct = default)
    {
        var path = PathOf(key);
        return Blocking(key, () => WriteFile(path, content.CopyTo, Replace), ct);
    }

    public async ValueTask<bool> PutIfAbsentAsync(
        string key, ReadOnlyMemory<byte> content, CancellationToken ct = default)
    {
        var path = PathOf(key);
        var put = false;
        await Blocking(key, () => WriteFile(path, file => file.Write(content.Span), LinkIfAbsent), ct)
            .ConfigureAwait(false);
        if (!put) _metrics.Taken();
        return put;

        void LinkIfAbsent(string unfinished, string target)
        {
            put = _disk.TryLink(unfinished, target);
            _disk.Delete(unfinished);
        }
    }

    public async ValueTask<byte[]?> GetAsync(string key, CancellationToken ct = default)
    {
        try
        {
            return await File.ReadAllBytesAsync(PathOf(key), ct).ConfigureAwait(false);
        }
        catch (Exception e) when (IsMissing(e, key))
        {
            return null;
        }
    }

    public async ValueTask<byte[]?> GetRangeAsync(
        string key, long offset, int count, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        try
        {
            using var file = File.OpenHandle(PathOf(key), options: FileOptions.Asynchronous);
            var bytes = new byte[Math.Clamp(RandomAccess.GetLength(file) - offset, 0, count)];
            var read = 0;
            while (read < bytes.Length)
            {
                var more = await RandomAccess.ReadAsync(file, bytes.AsMemory(read), offset + read, ct)
                    .ConfigureAwait(false);
                if (more == 0) return bytes[..read];
                read += more;
            }

            return bytes;
        }
        catch (Exception e) when (IsMissing(e, key))
        {
            return null;
        }
    }

    public ValueTask<ObjectInfo?> FindAsync(string key, CancellationToken ct = default)
    {
        var file = new FileInfo(PathOf(key));
        return ValueTask.FromResult(file.Exists ? InfoOf(key, file) : null);
    }

    public ValueTask DeleteAsync(string key, CancellationToken ct = default)
    {
        var path = PathOf(key);
        return Blocking(key, () =>
        {
            if (!File.Exists(path)) return;
            _disk.Delete(path);
            _disk.SyncFolder(Path.GetDirectoryName(path)!);
        }, ct);
    }

    public string LocalPath(string key) => PathOf(key);

    private string PathOf(string key) => Path.Combine(_root, ObjectKey.Check(key));

    private static ObjectInfo InfoOf(string key, FileInfo file) =>
        new(key, file.Length, new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero));

    /// <summary>
    /// A key below another object (a/b, where a is one) is one that is not there, as in any object store.
    /// </summary>
    private bool IsMissing(Exception e, string key) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => true,
        IOException or UnauthorizedAccessException => !File.Exists(PathOf(key)),
        _ => false,
    };

    /// <summary>Syncing blocks for milliseconds: off the caller's thread.</summary>
    private async ValueTask Blocking(string key, Action work, CancellationToken ct)
    {
        try
        {
            await Task.Run(work, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _metrics.Failed();
            throw ObjectStoreErrors.WriteFailed.With(key, e.Message).AsException(e);
        }
    }

    private void Replace(string unfinished, string target) => _disk.Replace(unfinished, target);

    private void WriteFile(string path, Action<FileStream> write, Action<string, string> giveName)
    {
        var folder = Path.GetDirectoryName(path)!;
        MakeFolder(folder);
        var unfinished = Path.Combine(Unfinished, Guid.NewGuid().ToString("N"));
        try
        {
            using (var file = _disk.Create(unfinished))
            {
                write(file);
                _disk.Sync(file);
                _metrics.Written(file.Length);
            }

            giveName(unfinished, path);
        }
        catch
        {
            TryDelete(unfinished);
            throw;
        }

        // Also when the name was taken: what the caller then reads must not be gone after a power cut.
        _disk.SyncFolder(folder);
    }

    private void TryDelete(string unfinished)
    {
        try
        {
            _disk.Delete(unfinished);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It goes with the next start; the failure that led here is the one to tell.
        }
    }

    private void MakeFolder(string folder)
    {
        if (_durableFolders.ContainsKey(folder) && Directory.Exists(folder)) return;
        var parent = Path.GetDirectoryName(folder);
        if (parent is null) return;
        if (folder != _root || !Directory.Exists(parent)) MakeFolder(parent);
        _disk.CreateFolder(folder);
        _disk.SyncFolder(parent);
        _durableFolders[folder] = true;
    }
}
