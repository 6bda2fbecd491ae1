using Millrace.Delta.Pruning;
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
    private readonly long _footersMax;
    private readonly BatchMetrics _metrics;
    private readonly Dictionary<string, SparseObject> _objects = [];
    private readonly Lock _one = new();
    private long _uses;

    /// <param name="bytesMax">Of the disk.</param>
    /// <param name="footersMax">Of the footers, which are held in memory.</param>
    public SparseCache(IObjectStore store, string folder, long bytesMax, long footersMax, BatchMetrics metrics)
    {
        (_store, _folder, _bytesMax, _footersMax, _metrics) = (store, folder, bytesMax, footersMax, metrics);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    public string Folder => _folder;

    /// <summary>The files of one statement; they stay until it is disposed.</summary>
    public SparseLease Lease() => new(this);

    internal SparseObject Take(string key, long bytes)
    {
        lock (_one)
        {
            if (!_objects.TryGetValue(key, out var one))
            {
                var path = Path.Combine(_folder, key);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                _objects.Add(key, one = new SparseObject(_store, key, path, bytes, _metrics));
            }

            one.Users++;
            one.LastUse = ++_uses;
            return one;
        }
    }

    internal void Return(IEnumerable<SparseObject> objects)
    {
        lock (_one)
        {
            foreach (var one in objects) one.Users--;
            var bytes = _objects.Values.Sum(one => one.BytesThere);
            var footers = _objects.Values.Sum(one => one.FooterBytes);
            foreach (var (key, one) in _objects.Where(pair => pair.Value.Users == 0)
                .OrderBy(pair => pair.Value.LastUse).ToList())
            {
                if (bytes <= _bytesMax && footers <= _footersMax) break;
                bytes -= one.BytesThere;
                footers -= one.FooterBytes;
                _objects.Remove(key);
                one.Delete();
                _metrics.Evicted();
            }
        }
    }
}

/// <summary>The cached files of one statement.</summary>
internal sealed class SparseLease(SparseCache cache) : IAsyncDisposable
{
    private const int ObjectsAtOnce = 8;

    private readonly Dictionary<string, SparseObject> _objects = [];
    private readonly Dictionary<string, IReadOnlyList<RowGroupFile>> _files = [];

    /// <summary>Whether there is anything to read.</summary>
    public bool IsEmpty => _files.Values.All(files => files.Count == 0);

    /// <summary>Has the objects' footers, and files of the row groups that may have rows within the ranges.</summary>
    public async ValueTask AddAsync(
        IReadOnlyList<(string Key, long Bytes)> objects, IReadOnlyList<ColumnRange> ranges, CancellationToken ct)
    {
        foreach (var (key, bytes) in objects) _objects.Add(key, cache.Take(key, bytes));
        await Parallel.ForEachAsync(objects, Options(ct), (one, token) => _objects[one.Key].FetchFooterAsync(token))
            .ConfigureAwait(false);
        foreach (var (key, _) in objects)
            _files.Add(key, await _objects[key].FilesWithinAsync(ranges, ct).ConfigureAwait(false));
    }

    /// <summary>The object's files; none when it has nothing that is asked for.</summary>
    public IReadOnlyList<string> PathsOf(string key) => [.. _files[key].Select(file => file.Path)];

    /// <summary>Sees to it that these columns are there.</summary>
    public async ValueTask FetchAsync(Func<string, bool> isNeeded, CancellationToken ct) =>
        await Parallel.ForEachAsync(_files, Options(ct), (pair, token) =>
            _objects[pair.Key].FetchColumnsAsync(pair.Value, isNeeded, token)).ConfigureAwait(false);

    public ValueTask DisposeAsync()
    {
        cache.Return(_objects.Values);
        return ValueTask.CompletedTask;
    }

    private static ParallelOptions Options(CancellationToken ct) =>
        new() { MaxDegreeOfParallelism = ObjectsAtOnce, CancellationToken = ct };
}
