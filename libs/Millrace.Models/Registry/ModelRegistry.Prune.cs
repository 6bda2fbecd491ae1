using System.Text.Json.Serialization;

namespace Millrace.Models.Registry;

/// <summary>What is decided of a version, once.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ModelFate>))]
internal enum ModelFate
{
    /// <summary>It was promoted, and stays.</summary>
    [JsonStringEnumMemberName("kept")] Kept,

    /// <summary>It was deleted, or is about to be.</summary>
    [JsonStringEnumMemberName("pruned")] Pruned,
}

public sealed partial class ModelRegistry
{
    /// <summary>
    /// Deletes versions that were never promoted, but for the newest of them. Safe beside promotions: of each version
    /// it is decided once whether it stays.
    /// </summary>
    /// <param name="unpromotedMax">How many that were never promoted stay, 1 or more.</param>
    /// <returns>The versions that were deleted.</returns>
    public async Task<IReadOnlyList<int>> PruneAsync(string name, int unpromotedMax, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(unpromotedMax, 1);
        var versions = await VersionsAsync(name, ct).ConfigureAwait(false);
        var promoted = (await PromotionsAsync(name, ct).ConfigureAwait(false)).Select(one => one.Version).ToHashSet();
        var unpromoted = versions.Where(one => !promoted.Contains(one.Version)).ToList();
        var pruned = new List<int>();
        foreach (var one in unpromoted.SkipLast(unpromotedMax))
        {
            if (!await DecideAsync(name, one.Version, ModelFate.Pruned, ct).ConfigureAwait(false)) continue;
            // The manifest goes last: who is cut off in between finds it the next time.
            await store.DeleteAsync(one.Content.Key, ct).ConfigureAwait(false);
            await store.DeleteAsync(ModelKeys.Version(name, one.Version), ct).ConfigureAwait(false);
            pruned.Add(one.Version);
        }

        return pruned;
    }

    /// <summary>Decides it, unless it is decided; false when that is otherwise.</summary>
    private async ValueTask<bool> DecideAsync(string name, int version, ModelFate fate, CancellationToken ct)
    {
        var key = ModelKeys.Fate(name, version);
        return await PutAsync(key, new Decision(fate), ct).ConfigureAwait(false)
            || (await ReadAsync<Decision>(key, ct).ConfigureAwait(false))?.Fate == fate;
    }

    private sealed record Decision(ModelFate Fate);
}
