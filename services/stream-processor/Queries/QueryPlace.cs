using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.Queries;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// One place where a query is answered: a log partition of a query that is answered partition by partition, or the one
/// place of a query that is answered over all.
/// </summary>
/// <param name="Partition">The log partition, or -1 for all.</param>
/// <param name="Sources">The partitions that it reads, with their first offsets.</param>
/// <param name="Targets">The partitions that it writes, in order of the plan's outputs.</param>
/// <param name="OutputStarts">Where the outputs stood when the query was first started.</param>
internal sealed record QueryPlace(
    QueryConfig Config, QueryPlan Plan, int Partition, IReadOnlyList<QuerySource> Sources,
    IReadOnlyList<TopicPartition> Targets, IReadOnlyDictionary<TopicPartition, long> OutputStarts)
{
    public CheckpointKey Key => new(Config.Name, Config.Version, Partition);

    /// <param name="stateBytesMax">What the query may keep here.</param>
    public QueryEngineOptions EngineOptions(long stateBytesMax) => new(Config.Name, Config.Version)
    {
        StateBytesMax = stateBytesMax,
        LateTolerance = Config.Options.LateTolerance,
        OutOfOrderTolerance = Config.Options.OutOfOrderTolerance,
        DropOutOfOrder = Config.Options.Policy == EventOrderPolicy.Drop,
    };
}
