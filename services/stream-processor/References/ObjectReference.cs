using Millrace.ObjectStore;
using Millrace.Saql.Files;

namespace Millrace.StreamProcessor.References;

/// <summary>An object of the object store, or all objects of a folder in order of their keys.</summary>
internal sealed class ObjectReference(string key, IObjectStore store, long bytesMax, TimeProvider time)
    : IReferenceSource
{
    /// <summary>
    /// An object may be replaced twice in one tick of the store's clock, which may also be off; what is younger than
    /// this when it is read is read again.
    /// </summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromMinutes(1);

    private IReadOnlyList<ObjectInfo> _objects = [];
    private IReadOnlyList<byte[]>? _entries;
    private DateTimeOffset _readAt;

    public async Task<IReadOnlyList<byte[]>> ReadAsync(CancellationToken ct)
    {
        var objects = await ListAsync(ct);
        if (_entries is not null && objects.SequenceEqual(_objects)
            && objects.All(one => one.ModifiedAt < _readAt - SettleTime))
            return _entries;
        _readAt = time.GetUtcNow();
        if (objects.Sum(one => one.Bytes) > bytesMax) throw EntryList.TooLarge(bytesMax);
        var entries = new EntryList(bytesMax);
        foreach (var one in objects)
        {
            var content = await store.GetAsync(one.Key, ct) ?? throw Missing(one.Key);
            foreach (var entry in ReferenceFile.Entries(content, one.Key, bytesMax)) entries.Add(entry);
        }

        (_objects, _entries) = (objects, entries.Entries);
        return _entries;
    }

    private async Task<IReadOnlyList<ObjectInfo>> ListAsync(CancellationToken ct)
    {
        var objects = new List<ObjectInfo>();
        if (!key.EndsWith('/')) objects.Add(await store.FindAsync(key, ct) ?? throw Missing(key));
        else await foreach (var one in store.ListAsync(key, ct: ct)) objects.Add(one);
        return objects.Count > 0 ? objects : throw Missing(key);
    }

    private static Exception Missing(string key) => StreamProcessorErrors.ReferenceMissing.With(key).AsException();
}
