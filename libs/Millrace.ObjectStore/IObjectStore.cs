namespace Millrace.ObjectStore;

/// <summary>
/// Whole objects by key. A key has segments of letters, digits and <c>- _ . = %</c>, separated by <c>/</c>. An object
/// appears whole or not at all, and is durable when the call returns.
/// </summary>
public interface IObjectStore
{
    /// <summary>Writes the object, replacing one of that key.</summary>
    ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct = default);

    /// <summary>Writes an object from a stream, for content that is not to be held in memory.</summary>
    ValueTask PutAsync(string key, Stream content, CancellationToken ct = default);

    /// <summary>Writes the object only when the key is free; false when it was taken. Safe against races.</summary>
    ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct = default);

    /// <summary>The whole object, or null when there is none.</summary>
    ValueTask<byte[]?> GetAsync(string key, CancellationToken ct = default);

    /// <summary>
    /// Bytes of the object from <paramref name="offset"/>; fewer at its end; null when there is none.
    /// </summary>
    ValueTask<byte[]?> GetRangeAsync(string key, long offset, int count, CancellationToken ct = default);

    /// <summary>
    /// Objects whose key begins with the prefix, in order of their keys, after <paramref name="after"/>.
    /// </summary>
    IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, string? after = null, CancellationToken ct = default);

    ValueTask<ObjectInfo?> FindAsync(string key, CancellationToken ct = default);

    /// <summary>Removes the object; no error when there is none.</summary>
    ValueTask DeleteAsync(string key, CancellationToken ct = default);

    /// <summary>Where the object lies as a local file, when this store has such; else null. For reading only.</summary>
    string? LocalPath(string key);
}

public sealed record ObjectInfo(string Key, long Bytes, DateTimeOffset ModifiedAt);
