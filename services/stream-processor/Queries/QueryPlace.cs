using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.Queries;

namespace Millrace.StreamProcessor.Queries;

internal enum QueryStage
{
    /// <summary>It reads inputs and writes outputs.</summary>
    Whole,

    /// <summary>The first of two: it reads one partition of each input and sends rows to the places of their keys.
    /// </summary>
    Dealer,

    /// <summary>The second: it reads one partition of the repartition topic and writes outputs.</summary>
    Target,
}

/// <summary>
/// One place where a query is answered: a log partition of a query that is answered partition by partition, the one
/// place of a query that is answered over all, or a place of one of the stages of a query that is answered by key.
/// </summary>
/// <param name="Partition">
/// The log partition, or -1 for all; those of second stages are counted on behind the hub's partitions.
/// </param>
/// <param name="Sources">The partitions that it reads, with their first offsets.</param>
/// <param name="Targets">The partitions that it writes, in order of the plan's outputs.</param>
/// <param name="OutputStarts">Where the outputs stood when the query was first started.</param>
internal sealed record QueryPlace(
    QueryConfig Config, QueryPlan Plan, int Partition, IReadOnlyList<QuerySource> Sources,
    IReadOnlyList<TopicPartition> Targets, IReadOnlyDictionary<TopicPartition, long> OutputStarts)
{
    public QueryStage Stage { get; init; }

    /// <summary>What all places of the first stage read together.</summary>
    public IReadOnlyList<QuerySource> AllSources { get; init; } = Sources;

    /// <summary>The last version before that was begun, when its state is to be taken; else 0.</summary>
    public int EarlierVersion { get; init; }

    /// <summary>
    /// The last version before that was begun, when this one begins where that one stands, with nothing of its state;
    /// else 0. In two stages it begins where that one stood when the start was fixed.
    /// </summary>
    public int PrecedingVersion { get; init; }

    /// <summary>Substreams have timelines of their own in the second of the two stages.</summary>
    public bool HasTimelinesByKey { get; init; }

    /// <summary>Of a place of the first stage.</summary>
    public InputActivity? Activity { get; init; }

    /// <summary>Where it is read from when it has no checkpoint.</summary>
    public IEnumerable<PartitionOffset> Starts =>
        Sources.Select(source => new PartitionOffset(source.Partition, source.StartOffset));

    public CheckpointKey Key => new(Config.Name, Config.Version, Partition);

    /// <summary>Who shares the places of this stage, and commits what was read.</summary>
    public string InputGroup => Stage == QueryStage.Target
        ? ConsumerGroups.OfRepartition(Config.Name)
        : ConsumerGroups.OfQuery(Config.Name);

    /// <summary>Who commits what was written.</summary>
    public string OutputGroup => Stage == QueryStage.Dealer
        ? ConsumerGroups.OfDealer(Config.Name, Partition)
        : ConsumerGroups.OfCheckpoint(Config.Name);

    /// <summary>What its checkpoints commit on.</summary>
    public IEnumerable<GroupTopic> Commits =>
    [
        .. Sources.Select(source => new GroupTopic(InputGroup, source.Partition.Topic)),
        .. Targets.Select(target => new GroupTopic(OutputGroup, target.Topic)),
    ];

    /// <summary>Reference data is joined where rows are answered.</summary>
    public bool UsesReferences => Stage != QueryStage.Dealer && Plan.References.Count > 0;

    /// <summary>Whether it takes what is no stream: reference data, or versions of models.</summary>
    public bool LooksOutside => UsesReferences || Plan.Models.Count > 0;

    public QueryEngineOptions EngineOptions(StreamProcessorOptions options) => new(Config.Name, Config.Version)
    {
        StateBytesMax = Config.Options.StateBytesMax ?? options.QueryStateBytesMax.Bytes,
        PatternTimeMax = options.PatternTimeMax,
        LateTolerance = Config.Options.LateTolerance,
        OutOfOrderTolerance = Config.Options.OutOfOrderTolerance,
        DropOutOfOrder = Config.Options.Policy == EventOrderPolicy.Drop,
        TellsOnEachRoute = EarlierVersion > 0,
        HasTimelinesByKey = HasTimelinesByKey,
    };

    public OwnerWriter CreateWriter(IEventLog log, TimeProvider time, StreamProcessorOptions options, long epoch) =>
        Stage == QueryStage.Dealer
            ? new RepartitionWriter(log, time, Config.Name, Config.Version, Partition, epoch, Targets,
                [.. AllSources.Select(source => source.Partition).Distinct().Order()], options.WatermarkInterval,
                options.ReadRowsBytesMax.Bytes)
            : new OutputWriter(
                log, time, Config.Name, Config.Version, epoch, Targets, options.ReadRowsBytesMax.Bytes);

    public QueryEngine CreateEngine(StreamProcessorOptions options, OwnerWriter writer)
    {
        var engineOptions = EngineOptions(options);
        return Stage switch
        {
            QueryStage.Dealer => QueryEngine.ForDealer(
                Plan, engineOptions, AllSources, Partition, (IRowDealer)writer, writer),
            QueryStage.Target => QueryEngine.ForTarget(Plan, engineOptions, AllSources, Sources[0], writer),
            _ => new QueryEngine(Plan, engineOptions, Sources, writer),
        };
    }
}
