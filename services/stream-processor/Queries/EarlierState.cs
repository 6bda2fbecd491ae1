using Millrace.Saql;
using Millrace.Stores.Checkpoints;

namespace Millrace.StreamProcessor.Queries;

/// <summary>What a version before keeps at a place, for one that begins with it (<c>--from state</c>).</summary>
/// <param name="Marks">Decisions about its inputs that its checkpoint may not have.</param>
internal sealed record EarlierState(int Version, Checkpoint Checkpoint, IReadOnlyList<InputMark> Marks)
{
    /// <summary>
    /// That of the last version that saved one here; null when the place begins with nothing. Its owner is stale from
    /// then on, so that whoever asks again finds the same.
    /// </summary>
    public static async Task<EarlierState?> FindAsync(ICheckpointStore store, QueryPlace place, CancellationToken ct)
    {
        for (var version = place.EarlierVersion; version > 0; version--)
        {
            var key = place.Key with { Version = version };
            if (await store.FindAsync(key, ct) is not null)
            {
                await store.RaiseEpochAsync(key, ct);
                return new EarlierState(
                    version, (await store.FindAsync(key, ct))!, await store.MarksAsync(key, ct));
            }

            // What a version between sent is missing to places that begin before it; and of one that was parted
            // otherwise, all.
            if (place.Stage != QueryStage.Whole || await IsPartedOtherwiseAsync(store, place, version, ct))
                throw Incompatible($"Version {version} was not answered at place {place.Partition}.");
        }

        return null;
    }

    private static async Task<bool> IsPartedOtherwiseAsync(
        ICheckpointStore store, QueryPlace place, int version, CancellationToken ct)
    {
        IEnumerable<int> others = place.Partition == QueryStarts.OnePlace
            ? place.Sources.Select(source => source.Partition.Partition).Distinct()
            : [QueryStarts.OnePlace];
        foreach (var other in others)
        {
            if (await store.FindAsync(place.Key with { Version = version, Partition = other }, ct) is not null)
                return true;
        }

        return false;
    }

    /// <summary>As it stands; SP-0009 when the two do not keep the same.</summary>
    /// <returns>The late letters that it took behind its checkpoint: they are the new version's to take.</returns>
    public IReadOnlyList<LateMark> GiveTo(QueryEngine engine)
    {
        if (!engine.TryRestoreEarlier(Checkpoint.State, Version))
            throw Incompatible($"Version {Version} keeps something else.");
        foreach (var mark in Marks.OfType<TimeMark>()) QueryOwner.Recall(engine, mark);
        LateMark[] late = [.. Marks.OfType<LateMark>().Where(mark => mark.Number > engine.LateTaken(mark.Input))];
        engine.CountLateAnew();
        return late;
    }

    private static Exception Incompatible(string why) =>
        StreamProcessorErrors.StateIncompatible.With(QueryStarts.State, why).AsException();
}
