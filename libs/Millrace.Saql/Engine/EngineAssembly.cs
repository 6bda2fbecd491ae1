using Millrace.Contracts;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>
/// Puts the parts of an engine together: a plan's inputs with their sources, operators, and pipelines.
/// </summary>
internal sealed class EngineAssembly
{
    private readonly QueryPlan _plan;
    private readonly QueryEngineOptions _options;
    private readonly IReadOnlyList<QuerySource> _given;
    private readonly EngineContext _context;
    private readonly Dictionary<InputPlan, InputState> _inputs;

    public EngineAssembly(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> given, IQueryRowSink sink)
    {
        (_plan, _options, _given) = (plan, options, given);
        Sources = [.. given.GroupBy(source => source.Partition).OrderBy(group => group.Key)
            .Select((group, rank) => new SourceState(group.Key, rank, group.First().StartOffset))];
        _context = new EngineContext(plan, options, [.. Sources.Select(source => source.Partition)], sink);
        Analytics = [.. plan.Parts.Analytics.Select(analytic => AnalyticState.Of(analytic, _context))];
        Operators = [.. plan.Parts.Operators.Select(one => OperatorOf(one, _context))];
        foreach (var one in Operators) one.Root.Connect(one.OperatorPlan, Operators, Analytics);
        _inputs = plan.Parts.Inputs.ToDictionary(input => input, input => new InputState(input, _context));
        foreach (var input in plan.Parts.Inputs)
        {
            foreach (var source in Sources.Where(source => Reads(input.Name, source.Partition)))
                source.Inputs.Add(_inputs[input]);
        }

        Pipelines = [.. plan.Parts.Feeds.Select(feed => feed.Pipeline).Distinct().Order().Select(Pipeline)];
        foreach (var source in Sources) source.Inputs.RemoveAll(input => !input.HasTakers(source.Rank));
        _context.NextDueChanged = changed =>
        {
            foreach (var pipeline in Pipelines)
            {
                if (pipeline.Has(changed)) pipeline.NextDueChanged();
            }
        };
    }

    public SourceState[] Sources { get; }

    public AnalyticState[] Analytics { get; }

    public OperatorState[] Operators { get; }

    public PipelineState[] Pipelines { get; }

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

    private PipelineState Pipeline(int number)
    {
        var feeds = new List<FeedState>();
        var roots = new List<RootState>();
        foreach (var feed in _plan.Parts.Feeds.Where(feed => feed.Pipeline == number))
        {
            var root = new RootState(feed, _inputs[feed.Input].Slots, _context);
            root.Connect(feed, Operators, Analytics);
            foreach (var source in Sources.Where(source => Reads(feed.Input.Name, source.Partition)))
            {
                feeds.Add(new FeedState(feed, source.Rank, _options));
                roots.Add(root);
                source.Feeds = [.. source.Feeds, feeds[^1]];
            }
        }

        var own = Operators.Where(one => one.OperatorPlan.Pipeline == number).ToArray();
        var pipeline = new PipelineState(_context, [.. feeds], [.. roots], own);
        for (var i = 0; i < feeds.Count; i++) _inputs[feeds[i].Plan.Input].AddTaker(feeds[i], pipeline, i);
        return pipeline;
    }

    private bool Reads(string input, TopicPartition partition) => _given.Any(source => source.Partition == partition
        && source.Input.Equals(input, StringComparison.OrdinalIgnoreCase));
}
