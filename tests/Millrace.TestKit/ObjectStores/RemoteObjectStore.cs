using Millrace.ObjectStore;

namespace Millrace.TestKit.ObjectStores;

/// <summary>A store without local files, over one that has them, which counts what is read of it.</summary>
public sealed class RemoteObjectStore(IObjectStore inner) : IObjectStore
{
    private long _bytesRead;
    private int _reads;

    public long BytesRead => Interlocked.Read(ref _bytesRead);

    public int Reads => Volatile.Read(ref _reads);

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct = default) =>
        inner.PutAsync(key, content, ct);

    public ValueTask PutAsync(string key, Stream content, CancellationToken ct = default) =>
        inner.PutAsync(key, content, ct);

    public ValueTask<bool> PutIfAbsentAsync(
        string key, ReadOnlyMemory<byte> content, CancellationToken ct = default) =>
        inner.PutIfAbsentAsync(key, content, ct);

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken ct = default) => inner.GetAsync(key, ct);

    public async ValueTask<byte[]?> GetRangeAsync(
        string key, long offset, int count, CancellationToken ct = default)
    {
        var bytes = await inner.GetRangeAsync(key, offset, count, ct);
        Interlocked.Increment(ref _reads);
        Interlocked.Add(ref _bytesRead, bytes?.Length ?? 0);
        return bytes;
    }

    public IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, string? after = null, CancellationToken ct = default) => inner.ListAsync(prefix, after, ct);

    public ValueTask<ObjectInfo?> FindAsync(string key, CancellationToken ct = default) => inner.FindAsync(key, ct);

    public ValueTask DeleteAsync(string key, CancellationToken ct = default) => inner.DeleteAsync(key, ct);

    public string? LocalPath(string key) => null;
}
