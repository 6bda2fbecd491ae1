using Millrace.ObjectStore;

namespace Millrace.Batch.DuckDb.Cache;

/// <summary>
/// Local files for an engine that reads such, over an object store that has none. The folder is this process's own, and
/// emptied when it starts.
/// </summary>
internal sealed class SparseCache
{
    private readonly IObjectStore _store;
    private readonly string _folder;
    private readonly long _bytesMax;
    private readonly BatchMetrics _metrics;
    private readonly Dictionary<string, SparseFile> _files = [];
    private readonly Lock _one = new();
    private long _uses;

    public SparseCache(IObjectStore store, string folder, long bytesMax, BatchMetrics metrics)
    {
        (_store, _folder, _bytesMax, _metrics) = (store, folder, bytesMax, metrics);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    public string Folder => _folder;

    /// <summary>The files of one statement; they stay until it is disposed.</summary>
    public SparseLease Lease() => new(this);

    internal SparseFile Take(string key, long bytes)
    {
        lock (_one)
        {
            if (!_files.TryGetValue(key, out var file))
            {
                var path = Path.Combine(_folder, key);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                _files.Add(key, file = new SparseFile(_store, key, path, bytes, _metrics));
            }

            file.Users++;
            file.LastUse = ++_uses;
            return file;
        }
    }

    internal void Return(IEnumerable<SparseFile> files)
    {
        lock (_one)
        {
            foreach (var file in files) file.Users--;
            var bytes = _files.Values.Sum(file => file.BytesThere);
            foreach (var (key, file) in _files.Where(pair => pair.Value.Users == 0)
                .OrderBy(pair => pair.Value.LastUse).ToList())
            {
                if (bytes <= _bytesMax) break;
                bytes -= file.BytesThere;
                _files.Remove(key);
                File.Delete(file.Path);
                _metrics.Evicted();
            }
        }
    }
}

/// <summary>The cached files of one statement.</summary>
internal sealed class SparseLease(SparseCache cache) : IAsyncDisposable
{
    private const int ObjectsAtOnce = 8;

    private readonly Dictionary<string, SparseFile> _files = [];

    /// <summary>Sees to it that the objects have their footers, and says where their files are.</summary>
    public async ValueTask AddAsync(IEnumerable<(string Key, long Bytes)> objects, CancellationToken ct)
    {
        foreach (var (key, bytes) in objects)
        {
            if (!_files.ContainsKey(key)) _files.Add(key, cache.Take(key, bytes));
        }

        await Parallel.ForEachAsync(_files.Values, Options(ct), (file, token) => file.FetchFooterAsync(token))
            .ConfigureAwait(false);
    }

    public string PathOf(string key) => _files[key].Path;

    public IReadOnlyList<string> Paths => [.. _files.Values.Select(file => file.Path)];

    /// <summary>Sees to it that these parts are there, by the path of their file.</summary>
    public async ValueTask FetchAsync(ILookup<string, ByteRange> ranges, CancellationToken ct) =>
        await Parallel.ForEachAsync(_files.Values, Options(ct),
            (file, token) => file.FetchColumnsAsync(ranges[file.Path], token)).ConfigureAwait(false);

    public ValueTask DisposeAsync()
    {
        cache.Return(_files.Values);
        return ValueTask.CompletedTask;
    }

    private static ParallelOptions Options(CancellationToken ct) =>
        new() { MaxDegreeOfParallelism = ObjectsAtOnce, CancellationToken = ct };
}
