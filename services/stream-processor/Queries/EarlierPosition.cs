using Millrace.Stores.Checkpoints;

namespace Millrace.StreamProcessor.Queries;

/// <summary>Where the version before stands at a place, for one that begins there (<c>--from last</c>).</summary>
internal static class EarlierPosition
{
    /// <summary>
    /// The place, read on from where the version before has come by now. The start was fixed when any process first
    /// asked for it, and the owner of the place may have gone on since: what it answered is not answered again. It is
    /// stale from then on, so that whoever asks once more finds the same.
    /// </summary>
    public static async Task<QueryPlace> MoveOnAsync(ICheckpointStore store, QueryPlace place, CancellationToken ct)
    {
        var key = place.Key with { Version = place.PrecedingVersion };
        if (key.Version == 0 || await store.FindAsync(key, ct) is null) return place;
        await store.RaiseEpochAsync(key, ct);
        var stands = (await store.FindAsync(key, ct))!.Inputs.ToLookup(input => input.Partition, input => input.Offset);
        return place with
        {
            Sources = [.. place.Sources.Select(source => source with
            {
                StartOffset = stands[source.Partition].Append(source.StartOffset).Max(),
            })],
        };
    }
}
