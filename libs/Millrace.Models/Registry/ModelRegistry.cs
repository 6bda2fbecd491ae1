using System.Security.Cryptography;
using System.Text.Json;
using Millrace.ObjectStore;

namespace Millrace.Models.Registry;

/// <summary>
/// Models with their versions, in the object store. A version is an object of the next number that is put only where
/// there is none, after its content; so is a promotion. So two writers never overwrite each other, and what is read is
/// whole.
/// </summary>
public sealed partial class ModelRegistry(IObjectStore store, TimeProvider time)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Keeps a new version. MO-0003 when its features are not those of the versions before.</summary>
    public async Task<ModelManifest> AddAsync(ModelDraft draft, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        ModelKeys.Check(draft.Name);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(content.Span));
        var key = ModelKeys.Content(draft.Name, draft.Format);
        await store.PutAsync(key, content, ct).ConfigureAwait(false);
        while (true)
        {
            var version = await LastAsync(ModelKeys.Versions(draft.Name), ct).ConfigureAwait(false) + 1;
            if (version > 1)
                CheckFeatures(draft, await GetAsync(draft.Name, version - 1, ct).ConfigureAwait(false));
            var manifest = new ModelManifest(draft.Name, version, draft.Kind, draft.Format, draft.Features,
                draft.Metrics, draft.By, draft.Source, draft.Output, time.GetUtcNow(),
                new ModelContent(key, content.Length, sha256));
            var put = await PutAsync(ModelKeys.Version(draft.Name, version), manifest, ct).ConfigureAwait(false);
            if (put) return manifest;
        }
    }

    /// <summary>The models that there are, in order of their names.</summary>
    public async Task<IReadOnlyList<ModelSummary>> ListAsync(CancellationToken ct)
    {
        var models = new List<ModelSummary>();
        string? after = null;
        while (await FirstAsync(ModelKeys.Root, after, ct).ConfigureAwait(false) is { } key)
        {
            var name = ModelKeys.NameIn(key);
            after = ModelKeys.After(name);
            var versions = await NumbersAsync(ModelKeys.Versions(name), ct).ConfigureAwait(false);
            if (versions.Count == 0) continue;
            var promotion = await PromotedAsync(name, ct).ConfigureAwait(false);
            models.Add(new ModelSummary(name, versions.Count, promotion?.Version,
                await GetAsync(name, versions[^1], ct).ConfigureAwait(false)));
        }

        return [.. models.OrderBy(model => model.Name, StringComparer.Ordinal)];
    }

    /// <summary>The version, or MO-0002.</summary>
    public async Task<ModelManifest> GetAsync(string name, int version, CancellationToken ct) =>
        await ReadAsync<ModelManifest>(ModelKeys.Version(ModelKeys.Check(name), version), ct).ConfigureAwait(false)
            ?? throw ModelErrors.Unknown.With($"{name} {version}").AsException();

    /// <summary>The versions that there are, the oldest first; MO-0002 when there is no such model.</summary>
    public async Task<IReadOnlyList<ModelManifest>> VersionsAsync(string name, CancellationToken ct)
    {
        var versions = new List<ModelManifest>();
        var numbers = await NumbersAsync(ModelKeys.Versions(ModelKeys.Check(name)), ct).ConfigureAwait(false);
        foreach (var version in numbers)
        {
            // One that is pruned at this moment is none any more.
            var manifest = await ReadAsync<ModelManifest>(ModelKeys.Version(name, version), ct).ConfigureAwait(false);
            if (manifest is not null) versions.Add(manifest);
        }

        return versions.Count > 0 ? versions : throw ModelErrors.Unknown.With(name).AsException();
    }

    /// <summary>The promotion that counts, or null when there was none.</summary>
    public async Task<ModelPromotion?> PromotedAsync(string name, CancellationToken ct)
    {
        var last = await LastAsync(ModelKeys.Promotions(ModelKeys.Check(name)), ct).ConfigureAwait(false);
        return last == 0
            ? null
            : await ReadAsync<ModelPromotion>(ModelKeys.Promotion(name, last), ct).ConfigureAwait(false);
    }

    /// <summary>The promotions, the oldest first.</summary>
    public async Task<IReadOnlyList<ModelPromotion>> PromotionsAsync(string name, CancellationToken ct)
    {
        var promotions = new List<ModelPromotion>();
        await foreach (var found in store.ListAsync(ModelKeys.Promotions(ModelKeys.Check(name)), null, ct)
            .ConfigureAwait(false))
            promotions.Add((await ReadAsync<ModelPromotion>(found.Key, ct).ConfigureAwait(false))!);
        return promotions;
    }

    /// <summary>
    /// Makes the version the one that queries use; MO-0004 when somebody else promotes at the same moment. A version
    /// that was promoted is never pruned.
    /// </summary>
    public async Task<ModelPromotion> PromoteAsync(string name, int version, string by, CancellationToken ct)
    {
        await GetAsync(name, version, ct).ConfigureAwait(false);
        if (!await DecideAsync(name, version, ModelFate.Kept, ct).ConfigureAwait(false))
            throw ModelErrors.Unknown.With($"{name} {version}").AsException();
        var now = await PromotedAsync(name, ct).ConfigureAwait(false);
        if (now?.Version == version) return now;
        return await PromoteAsync(name, new ModelPromotion((now?.Number ?? 0) + 1, version, time.GetUtcNow(), by), ct)
            .ConfigureAwait(false);
    }

    /// <summary>Goes back to the version that was promoted before; MO-0005 when there was none.</summary>
    public async Task<ModelPromotion> RollbackAsync(string name, string by, CancellationToken ct)
    {
        var standing = new Stack<int>();
        var promotions = await PromotionsAsync(name, ct).ConfigureAwait(false);
        foreach (var promotion in promotions)
        {
            if (promotion.IsRollback) standing.Pop();
            else standing.Push(promotion.Version);
        }

        if (standing.Count < 2) throw ModelErrors.NothingBefore.With(name).AsException();
        standing.Pop();
        return await PromoteAsync(name, new ModelPromotion(promotions[^1].Number + 1, standing.Peek(),
            time.GetUtcNow(), by, IsRollback: true), ct).ConfigureAwait(false);
    }

    /// <summary>The content as it was registered; MO-0006 when it is not there or damaged.</summary>
    public async Task<byte[]> ContentAsync(ModelManifest manifest, CancellationToken ct)
    {
        var content = await store.GetAsync(manifest.Content.Key, ct).ConfigureAwait(false);
        return content is not null && Convert.ToHexStringLower(SHA256.HashData(content)) == manifest.Content.Sha256
            ? content
            : throw ModelErrors.ContentDamaged.With(manifest.Content.Key).AsException();
    }

    private async Task<ModelPromotion> PromoteAsync(string name, ModelPromotion promotion, CancellationToken ct) =>
        await PutAsync(ModelKeys.Promotion(name, promotion.Number), promotion, ct).ConfigureAwait(false)
            ? promotion
            : throw ModelErrors.PromotionConflict.With($"{name} {promotion.Version}").AsException();

    private static void CheckFeatures(ModelDraft draft, ModelManifest before)
    {
        var (has, wants) = (draft.Features.Select(one => one.Name), before.Features.Select(one => one.Name));
        if (has.SequenceEqual(wants)) return;
        throw ModelErrors.FeaturesDiffer.With($"{string.Join(", ", has)}",
            $"Version {before.Version} of {draft.Name} has {string.Join(", ", wants)}.").AsException();
    }

    private async ValueTask<int> LastAsync(string prefix, CancellationToken ct) =>
        (await NumbersAsync(prefix, ct).ConfigureAwait(false)).LastOrDefault();

    /// <summary>The numbers of the objects below the prefix, rising.</summary>
    private async ValueTask<List<int>> NumbersAsync(string prefix, CancellationToken ct)
    {
        var numbers = new List<int>();
        await foreach (var found in store.ListAsync(prefix, null, ct).ConfigureAwait(false))
            numbers.Add(ModelKeys.NumberIn(found.Key));
        return numbers;
    }

    private async ValueTask<string?> FirstAsync(string prefix, string? after, CancellationToken ct)
    {
        await foreach (var found in store.ListAsync(prefix, after, ct).ConfigureAwait(false)) return found.Key;
        return null;
    }

    private ValueTask<bool> PutAsync<T>(string key, T value, CancellationToken ct) =>
        store.PutIfAbsentAsync(key, JsonSerializer.SerializeToUtf8Bytes(value, Json), ct);

    private async ValueTask<T?> ReadAsync<T>(string key, CancellationToken ct)
        where T : class =>
        await store.GetAsync(key, ct).ConfigureAwait(false) is { } bytes
            ? JsonSerializer.Deserialize<T>(bytes, Json)
            : null;
}
