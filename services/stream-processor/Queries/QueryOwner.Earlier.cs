using Millrace.Saql;

namespace Millrace.StreamProcessor.Queries;

/// <summary>A version that begins with what the one before it keeps.</summary>
internal sealed partial class QueryOwner
{
    /// <summary>
    /// Gives the engine the state of the last version that saved one, as it stands; SP-0009 when the two do not keep
    /// the same. The version's own checkpoint is to be written before its first record.
    /// </summary>
    private static async Task TakeEarlierAsync(
        QueryServices services, QueryPlace place, QueryEngine engine, CancellationToken ct)
    {
        for (var version = place.Config.Version - 1; version > 0; version--)
        {
            var key = place.Key with { Version = version };
            if (await services.Checkpoints.FindAsync(key, ct) is not { } earlier) continue;
            if (place.Stage == QueryStage.Whole && engine.TryRestoreEarlier(earlier.State)) return;
            var why = place.Stage == QueryStage.Whole
                ? $"Version {version} keeps something else."
                : "It is answered by key in two stages, between which rows are on their way.";
            throw StreamProcessorErrors.StateIncompatible.With(QueryStarts.State, why).AsException();
        }
    }
}
