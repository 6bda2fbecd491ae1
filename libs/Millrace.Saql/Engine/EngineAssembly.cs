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
    private AnalyticState[] _analytics = [];
    private List<AnalyticState> _shared = [];

    private EngineAssembly(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> given, IQueryRowSink sink)
    {
        (_plan, _options, _given) = (plan, options, given);
        _ranks = [.. given.Select(source => source.Partition).Distinct().Order()];
        _context = new EngineContext(plan, options, _ranks, sink);
    }

    public Frame Frame => _context.Frame;

    public SourceState[] Sources { get; private set; } = [];

    /// <summary>Those that are of no pipeline's own.</summary>
    public IReadOnlyList<AnalyticState> Analytics => _shared;

    public OperatorState[] Operators { get; private set; } = [];

    public RowTaker[] Pipelines { get; private set; } = [];

    /// <param name="lanes">Where substreams have timelines of their own if they can.</param>
    public static EngineAssembly Whole(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> given, IQueryRowSink sink,
        LaneUse lanes = LaneUse.Everywhere)
    {
        var made = new EngineAssembly(plan, options, given, sink);
        made.AddSources(_ => true);
        made.AddOperators();
        var inputs = made.Inputs();
        made.AddPipelines<RowTaker>((number, feeds) => made.LanesOf(number, feeds, inputs, lanes) is { } state
            ? state : made.Pipeline(number, feeds, inputs), (feed, pipeline, index) =>
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
        var states = new Dictionary<(int Feed, int Source), TargetInput.Progress>();
        var ways = new Dictionary<(int Route, int Source), TargetInput.Way>();
        made.AddPipelines((number, feeds) => made.TargetPipeline(number, feeds, slots, ways),
            (feed, pipeline, index) => states[(feed.Plan.Number, feed.Source)] =
                new TargetInput.Progress(feed, (ISentRowTaker)pipeline, index));
        var source = new SourceState(target.Partition, 0, target.StartOffset);
        source.Inputs.Add(new TargetInput(options, states, ways, made._ranks.Length,
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
        _analytics = [.. _plan.Parts.Analytics.Select(analytic => AnalyticState.Of(analytic, _context))];
        _shared = [.. _analytics];
        Operators = [.. _plan.Parts.Operators.Select(one => OperatorOf(one, _context))];
        foreach (var one in Operators) one.Root.Connect(one.OperatorPlan, Operators, _analytics);
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

    private void AddPipelines<TTaker>(
        Func<int, FeedState[], TTaker> make, Action<FeedState, TTaker, int> added) where TTaker : RowTaker
    {
        var pipelines = new List<TTaker>();
        foreach (var number in _plan.Parts.Feeds.Select(feed => feed.Pipeline).Distinct().Order())
        {
            var feeds = FeedsOf(number);
            var pipeline = make(number, feeds);
            for (var i = 0; i < feeds.Length; i++) added(feeds[i], pipeline, i);
            pipelines.Add(pipeline);
        }

        Pipelines = [.. pipelines];
        _context.NextDueChanged = changed =>
        {
            foreach (var pipeline in Pipelines)
            {
                if (pipeline.Has(changed)) pipeline.NextDueChanged();
            }
        };
    }

    private FeedState[] FeedsOf(int pipeline) =>
    [
        .. _plan.Parts.Feeds.Where(feed => feed.Pipeline == pipeline).SelectMany(feed =>
            Enumerable.Range(0, _ranks.Length).Where(rank => Reads(feed.Input.Name, _ranks[rank]))
                .Select(rank => new FeedState(feed, rank, _options))),
    ];

    private OperatorState[] OperatorsOf(int pipeline) =>
        [.. Operators.Where(one => one.OperatorPlan.Pipeline == pipeline)];

    private PipelineState Pipeline(int number, FeedState[] feeds, Dictionary<InputPlan, InputState> inputs) =>
        new(_context, feeds, RootsOf(feeds, inputs), OperatorsOf(number));

    /// <summary>The input at work of each feed, whose row is where the input puts it.</summary>
    private RootState[] RootsOf(FeedState[] feeds, Dictionary<InputPlan, InputState> inputs)
    {
        var roots = feeds.Select(feed => feed.Plan).Distinct().ToDictionary(
            feed => feed, feed => RootOf(feed, inputs[feed.Input].Slots));
        return [.. feeds.Select(feed => roots[feed.Plan])];
    }

    /// <param name="ways">Gets how rows come into the pipeline.</param>
    private RowTaker TargetPipeline(
        int number, FeedState[] feeds, Dictionary<InputPlan, Values.Value[]> slots,
        Dictionary<(int Route, int Source), TargetInput.Way> ways)
    {
        var routes = feeds.SelectMany(feed => _plan.Repartition!.RoutesOf(feed.Plan)
            .Select(route => (Plan: route, feed.Source))).ToList();
        var roots = routes.Select(route => route.Plan).Distinct().ToDictionary(
            route => route, route => RootOf(route, slots[route.Feed.Input]));
        RootState[] all = [.. routes.Select(route => roots[route.Plan])];
        var haveTimelines = _options.HasTimelinesByKey && feeds.Length > 0
            && feeds.All(feed => feed.Plan.HasTimelinesByKey);
        RowTaker pipeline = haveTimelines
            ? new SentLanesState(_context, feeds, all, OperatorsOf(number), OwnAnalytics(number))
            : new PipelineState(_context, feeds, all, OperatorsOf(number));
        for (var i = 0; i < routes.Count; i++)
            ways[(routes[i].Plan.Number, routes[i].Source)] = new TargetInput.Way((ISentRowTaker)pipeline, i);
        return pipeline;
    }

    /// <summary>Those of the pipeline, which are of no other's from now on.</summary>
    private AnalyticState[] OwnAnalytics(int pipeline)
    {
        AnalyticState[] own = [.. _plan.Parts.AnalyticsOf(pipeline).Select(one => _analytics[one.Number])];
        _shared.RemoveAll(own.Contains);
        return own;
    }

    /// <summary>Null where substreams have no timelines of their own.</summary>
    private LanesState? LanesOf(
        int number, FeedState[] feeds, Dictionary<InputPlan, InputState> inputs, LaneUse lanes)
    {
        if (feeds.Length == 0 || !feeds.All(feed => feed.Plan.HasTimelines)) return null;
        if (lanes == LaneUse.Nowhere || (feeds.Length > 1 && lanes == LaneUse.OfSingleFeeds)) return null;
        var own = OwnAnalytics(number);
        if (feeds is not [var feed])
            return new MergedLanesState(_context, feeds, RootsOf(feeds, inputs), OperatorsOf(number), own);
        var slots = inputs[feed.Plan.Input].Slots;
        var root = RootOf(feed.Plan, feed.IsOrderedWithin ? slots : new Values.Value[slots.Length]);
        return new FeedLanesState(_context, feed, slots, root, OperatorsOf(number), own);
    }

    private RootState RootOf(RowRoot plan, Values.Value[] slots)
    {
        var root = new RootState(plan, slots, _context);
        root.Connect(plan, Operators, _analytics);
        return root;
    }

    private bool Reads(string input, TopicPartition partition) => _given.Any(source => source.Partition == partition
        && source.Input.Equals(input, StringComparison.OrdinalIgnoreCase));
}

/// <summary>Where substreams have timelines of their own: an older program's state has fewer.</summary>
internal enum LaneUse : byte
{
    Nowhere,

    /// <summary>Not where rows come by several inputs or partitions.</summary>
    OfSingleFeeds,

    Everywhere,
}
