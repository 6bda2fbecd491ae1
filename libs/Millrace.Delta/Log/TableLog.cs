using System.Globalization;
using System.Text.Json;
using Millrace.Delta.Checkpoints;
using Millrace.ObjectStore;

namespace Millrace.Delta.Log;

/// <summary>
/// The numbered entries of one table, <c>&lt;root&gt;/_delta_log/00000000000000000007.json</c>, and its checkpoints
/// beside them, <c>00000000000000000007.checkpoint.parquet</c>.
/// </summary>
internal sealed class TableLog(IObjectStore store, string root)
{
    private const string Entry = "json";
    private const string Checkpoint = "checkpoint";
    private const string Parquet = "parquet";
    private const int Digits = 20;

    private readonly string _prefix = root + "/_delta_log/";

    /// <summary>Names the newest checkpoint, or an older one: a hint where to begin.</summary>
    private string HintKey => _prefix + "_last_checkpoint";

    public string KeyOf(long version) => $"{_prefix}{Number(version)}.{Entry}";

    /// <summary>The entry's actions, or null when there is no such entry yet.</summary>
    public async ValueTask<List<DeltaAction>?> ReadAsync(long version, CancellationToken ct)
    {
        var key = KeyOf(version);
        var entry = await store.GetAsync(key, ct).ConfigureAwait(false);
        return entry is null ? null : ActionReader.Read(key, entry);
    }

    /// <summary>
    /// The state at <paramref name="atMost"/>, or at the newest version before it; null when there is no table. DL-0002
    /// when an entry on the way is missing: reading on until one is would end at a gap, and take an old state for the
    /// newest.
    /// </summary>
    public async ValueTask<SnapshotBuilder?> OpenAsync(long atMost, CancellationToken ct)
    {
        var hint = await HintAsync(ct).ConfigureAwait(false);
        var from = hint <= atMost ? hint : 0;
        var listing = await ListAsync(from, ct).ConfigureAwait(false);
        if (from > 0 && listing.CheckpointAt(atMost) is null) listing = await ListAsync(0, ct).ConfigureAwait(false);
        if (listing.Newest < 0) return null;

        var builder = new SnapshotBuilder(null);
        if (listing.CheckpointAt(atMost) is { } checkpoint)
            builder.Load(await ReadAsync(checkpoint, ct).ConfigureAwait(false), checkpoint.Version, checkpoint.Keys[0]);
        foreach (var (version, _) in listing.Entries)
        {
            if (version <= builder.Version || version > atMost) continue;
            if (version != builder.Version + 1) throw Missing(builder.Version + 1);
            builder.Apply(
                await ReadAsync(version, ct).ConfigureAwait(false) ?? throw Missing(version), KeyOf(version));
        }

        return builder;
    }

    /// <summary>Everything that is there from the version on.</summary>
    public async ValueTask<LogListing> ListAsync(long from, CancellationToken ct)
    {
        var entries = new List<(long, DateTimeOffset)>();
        var parts = new SortedDictionary<long, List<(int Parts, string Key)>>();
        var after = from > 0 ? KeyOf(from - 1) : null;
        await foreach (var info in store.ListAsync(_prefix, after, ct).ConfigureAwait(false))
        {
            var name = info.Key[_prefix.Length..].Split('.');
            if (name[0].Length != Digits
                || !long.TryParse(name[0], NumberStyles.None, CultureInfo.InvariantCulture, out var version)) continue;
            if (name is [_, Entry])
            {
                entries.Add((version, info.ModifiedAt));
                continue;
            }

            if (name.Length < 3 || name[1] != Checkpoint || name[^1] != Parquet) continue;
            var count = name is [_, _, _, var of, _] && int.TryParse(of, out var parsed) ? parsed : 1;
            if (!parts.TryGetValue(version, out var keys)) parts.Add(version, keys = []);
            keys.Add((count, info.Key));
        }

        var complete = parts.SelectMany(pair => pair.Value.GroupBy(part => part.Parts)
            .Where(group => group.Count() == group.Key).Take(1)
            .Select(group => new LogCheckpoint(pair.Key, [.. group.Select(part => part.Key)])));
        return new LogListing(entries, [.. complete]);
    }

    /// <summary>Writes the entry; false when its number was taken.</summary>
    public ValueTask<bool> TryWriteAsync(long version, ReadOnlyMemory<byte> entry, CancellationToken ct) =>
        store.PutIfAbsentAsync(KeyOf(version), entry, ct);

    /// <summary>Writes the state as a checkpoint of its version, and then says so where readers look first.</summary>
    public async ValueTask WriteCheckpointAsync(DeltaSnapshot snapshot, long removedSinceMs, CancellationToken ct)
    {
        var (content, actions) = CheckpointWriter.Write(snapshot, removedSinceMs);
        await store.PutAsync($"{_prefix}{Number(snapshot.Version)}.{Checkpoint}.{Parquet}", content, ct)
            .ConfigureAwait(false);
        var hint = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, long>
        {
            ["version"] = snapshot.Version,
            ["size"] = actions,
            ["sizeInBytes"] = content.Length,
            ["numOfAddFiles"] = snapshot.Files.Count,
        });
        await store.PutAsync(HintKey, hint, ct).ConfigureAwait(false);
    }

    /// <summary>
    /// Deletes what was written before <paramref name="oldest"/> and nobody needs to read a version that was written
    /// since. Returns how many objects.
    /// </summary>
    public async ValueTask<int> CleanUpAsync(DateTimeOffset oldest, CancellationToken ct)
    {
        var listing = await ListAsync(0, ct).ConfigureAwait(false);
        if (listing.CheckpointAt(listing.LastBefore(oldest)) is not { } first) return 0;
        var keys = listing.Entries.Where(entry => entry.Version < first.Version).Select(entry => KeyOf(entry.Version))
            .Concat(listing.Checkpoints.Where(c => c.Version < first.Version).SelectMany(c => c.Keys)).ToList();
        foreach (var key in keys) await store.DeleteAsync(key, ct).ConfigureAwait(false);
        return keys.Count;
    }

    private async ValueTask<IEnumerable<DeltaAction>> ReadAsync(LogCheckpoint checkpoint, CancellationToken ct)
    {
        var actions = new List<DeltaAction>();
        foreach (var key in checkpoint.Keys)
        {
            var content = await store.GetAsync(key, ct).ConfigureAwait(false)
                ?? throw DeltaErrors.EntryMissing.With(key).AsException();
            actions.AddRange(CheckpointReader.Read(key, content));
        }

        return actions;
    }

    /// <summary>The version of a checkpoint that is said to be the newest; 0 when nothing is said.</summary>
    public async ValueTask<long> HintAsync(CancellationToken ct)
    {
        if (await store.GetAsync(HintKey, ct).ConfigureAwait(false) is not { } hint) return 0;
        try
        {
            using var document = JsonDocument.Parse(hint);
            return document.RootElement.GetProperty("version").GetInt64();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException)
        {
            // It only saves listing everything.
            return 0;
        }
    }

    private Exception Missing(long version) => DeltaErrors.EntryMissing.With(KeyOf(version)).AsException();

    private static string Number(long version) =>
        version.ToString(CultureInfo.InvariantCulture).PadLeft(Digits, '0');
}
