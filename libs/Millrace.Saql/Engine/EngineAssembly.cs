using Millrace.Contracts;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>
/// Puts the parts of an engine together: a plan's inputs with their sources, operators, and pipelines. Of a plan that
/// is answered by key in two stages, the first has no operators, and the second no inputs of its own.
/// </summary>
internal sealed class EngineAssembly
{
    private readonly QueryPlan _plan;
    private readonly QueryEngineOptions _options;
    private readonly IReadOnlyList<QuerySource> _given;
    private readonly EngineContext _context;
    private readonly TopicPartition[] _ranks;

    private EngineAssembly(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> given, IQueryRowSink sink)
    {
        (_plan, _options, _given) = (plan, options, given);
        _ranks = [.. given.Select(source => source.Partition).Distinct().Order()];
        _context = new EngineContext(plan, options, _ranks, sink);
    }

    public Frame Frame => _context.Frame;

    public SourceState[] Sources { get; private set; } = [];

    public AnalyticState[] Analytics { get; private set; } = [];

    public OperatorState[] Operators { get; private set; } = [];

    public RowTaker[] Pipelines { get; private set; } = [];

    public static EngineAssembly Whole(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> given, IQueryRowSink sink)
    {
        var made = new EngineAssembly(plan, options, given, sink);
        made.AddSources(_ => true);
        made.AddOperators();
        var inputs = made.Inputs();
        made.AddPipelines(feed => inputs[feed.Input].Slots, (feed, pipeline, index) =>
        {
            made.Source(feed.Source).Feeds = [.. made.Source(feed.Source).Feeds, feed];
            inputs[feed.Plan.Input].AddTaker(feed, pipeline, index);
        });
        made.TieInputs(inputs);
        return made;
    }

    /// <param name="place">The partition whose sources are read; of the others only the rank counts.</param>
    public static EngineAssembly Dealer(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> given, int place, IRowDealer dealer,
        IQueryRowSink sink)
    {
        var made = new EngineAssembly(plan, options, given, sink);
        made.AddSources(partition => partition.Partition == place);
        var inputs = made.Inputs();
        var feeds = new List<FeedState>();
        foreach (var source in made.Sources)
        {
            source.Feeds = [.. plan.Parts.Feeds.Where(feed => made.Reads(feed.Input.Name, source.Partition))
                .Select(feed => new FeedState(feed, source.Rank, options))];
            feeds.AddRange(source.Feeds);
        }

        var deal = new DealState(made._context, feeds, made.Sources, dealer);
        for (var i = 0; i < feeds.Count; i++) inputs[feeds[i].Plan.Input].AddTaker(feeds[i], deal, i);
        made.TieInputs(inputs);
        made.Pipelines = [deal];
        return made;
    }

    /// <param name="target">What is read: the partition of the repartition topic.</param>
    public static EngineAssembly Target(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> given, QuerySource target,
        IQueryRowSink sink)
    {
        var made = new EngineAssembly(plan, options, given, sink);
        made.AddOperators();
        var slots = plan.Parts.Inputs.ToDictionary(input => input, input => new Values.Value[input.SlotCount]);
        var ways = new Dictionary<(int Feed, int Source), TargetInput.Way>();
        made.AddPipelines(feed => slots[feed.Input], (feed, pipeline, index) =>
            ways[(feed.Plan.Number, feed.Source)] = new TargetInput.Way(feed, pipeline, index));
        var source = new SourceState(target.Partition, 0, target.StartOffset);
        source.Inputs.Add(new TargetInput(options, ways, made._ranks.Length,
            [.. given.Select(one => one.Partition.Partition).Distinct()]));
        made.Sources = [source];
        return made;
    }

    public static OperatorState OperatorOf(OperatorPlan plan, EngineContext context) => plan switch
    {
        WindowPlan { Spec.Kind: WindowKind.Sliding } window => new SlidingState(window, context),
        WindowPlan { Spec.Kind: WindowKind.Session } window => new SessionState(window, context),
        WindowPlan window => new WindowState(window, context),
        JoinPlan join => new JoinState(join, context),
        ReferencePlan join => new ReferenceState(join, context),
        MatchPlan match => new MatchState(match, context),
        ApplyPlan apply => new ApplyState(apply, context),
        _ => throw new InvalidOperationException(plan.GetType().Name),
    };

    private void AddSources(Func<TopicPartition, bool> isRead) =>
        Sources = [.. _ranks.Select((partition, rank) => (_given.First(source => source.Partition == partition), rank))
            .Select(one => new SourceState(
                one.Item1.Partition, one.rank, one.Item1.StartOffset, one.Item1.NeedsKey, one.Item1.IsFile))
            .Where(source => isRead(source.Partition))];

    private SourceState Source(int rank) => Sources.First(source => source.Rank == rank);

    private void AddOperators()
    {
        Analytics = [.. _plan.Parts.Analytics.Select(analytic => AnalyticState.Of(analytic, _context))];
        Operators = [.. _plan.Parts.Operators.Select(one => OperatorOf(one, _context))];
        foreach (var one in Operators) one.Root.Connect(one.OperatorPlan, Operators, Analytics);
    }

    private Dictionary<InputPlan, InputState> Inputs() =>
        _plan.Parts.Inputs.ToDictionary(input => input, input => new InputState(input, _context));

    /// <summary>Each source is read by the inputs that it belongs to, if anybody takes their rows.</summary>
    private void TieInputs(Dictionary<InputPlan, InputState> inputs)
    {
        foreach (var (plan, input) in inputs)
        {
            foreach (var source in Sources.Where(source => Reads(plan.Name, source.Partition)
                && input.HasTakers(source.Rank)))
                source.Inputs.Add(input);
        }
    }

    private void AddPipelines(
        Func<FeedPlan, Values.Value[]> slotsOf, Action<FeedState, PipelineState, int> added)
    {
        PipelineState[] pipelines = [.. _plan.Parts.Feeds.Select(feed => feed.Pipeline).Distinct().Order()
            .Select(number => Pipeline(number, slotsOf, added))];
        Pipelines = pipelines;
        _context.NextDueChanged = changed =>
        {
            foreach (var pipeline in pipelines)
            {
                if (pipeline.Has(changed)) pipeline.NextDueChanged();
            }
        };
    }

    private PipelineState Pipeline(
        int number, Func<FeedPlan, Values.Value[]> slotsOf, Action<FeedState, PipelineState, int> added)
    {
        var feeds = new List<FeedState>();
        var roots = new List<RootState>();
        foreach (var feed in _plan.Parts.Feeds.Where(feed => feed.Pipeline == number))
        {
            var root = new RootState(feed, slotsOf(feed), _context);
            root.Connect(feed, Operators, Analytics);
            for (var rank = 0; rank < _ranks.Length; rank++)
            {
                if (!Reads(feed.Input.Name, _ranks[rank])) continue;
                feeds.Add(new FeedState(feed, rank, _options));
                roots.Add(root);
            }
        }

        var own = Operators.Where(one => one.OperatorPlan.Pipeline == number).ToArray();
        var pipeline = new PipelineState(_context, [.. feeds], [.. roots], own);
        for (var i = 0; i < feeds.Count; i++) added(feeds[i], pipeline, i);
        return pipeline;
    }

    private bool Reads(string input, TopicPartition partition) => _given.Any(source => source.Partition == partition
        && source.Input.Equals(input, StringComparison.OrdinalIgnoreCase));
}
