using System.Globalization;
using Millrace.ObjectStore;

namespace Millrace.Delta.Log;

/// <summary>The numbered entries of one table: <c>&lt;root&gt;/_delta_log/00000000000000000007.json</c>.</summary>
internal sealed class TableLog(IObjectStore store, string root)
{
    private const string Suffix = ".json";
    private const int Digits = 20;

    private readonly string _prefix = root + "/_delta_log/";

    public string KeyOf(long version) =>
        _prefix + version.ToString(CultureInfo.InvariantCulture).PadLeft(Digits, '0') + Suffix;

    /// <summary>The entry's actions, or null when there is no such entry yet.</summary>
    public async ValueTask<List<DeltaAction>?> ReadAsync(long version, CancellationToken ct)
    {
        var key = KeyOf(version);
        var entry = await store.GetAsync(key, ct).ConfigureAwait(false);
        return entry is null ? null : ActionReader.Read(key, entry);
    }

    /// <summary>
    /// The newest version, or -1 when there is no table. DL-0002 when the numbers do not count up from 0: reading on
    /// until one is missing would end at a gap, and take an old state for the newest.
    /// </summary>
    public async ValueTask<long> NewestAsync(CancellationToken ct)
    {
        var next = 0L;
        await foreach (var info in store.ListAsync(_prefix, ct: ct).ConfigureAwait(false))
        {
            if (!TryVersionOf(info.Key, out var version)) continue;
            if (version != next) throw DeltaErrors.EntryMissing.With(KeyOf(next)).AsException();
            next++;
        }

        return next - 1;
    }

    /// <summary>Writes the entry; false when its number was taken.</summary>
    public ValueTask<bool> TryWriteAsync(long version, ReadOnlyMemory<byte> entry, CancellationToken ct) =>
        store.PutIfAbsentAsync(KeyOf(version), entry, ct);

    private bool TryVersionOf(string key, out long version)
    {
        version = -1;
        var name = key.AsSpan(_prefix.Length);
        return name.Length == Digits + Suffix.Length && name.EndsWith(Suffix, StringComparison.Ordinal)
            && long.TryParse(name[..Digits], NumberStyles.None, CultureInfo.InvariantCulture, out version);
    }
}
