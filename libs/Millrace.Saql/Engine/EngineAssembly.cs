using Millrace.Contracts;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>Puts the parts of an engine together: a plan's inputs with their sources, windows, and pipelines.</summary>
internal static class EngineAssembly
{
    public static (SourceState[] Sources, PipelineState[] Pipelines) Assemble(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> given, IQueryRowSink sink)
    {
        var sources = given.GroupBy(source => source.Partition).OrderBy(group => group.Key)
            .Select((group, rank) => new SourceState(group.Key, rank, group.First().StartOffset)).ToArray();
        var context = new EngineContext(plan, options, [.. sources.Select(source => source.Partition)], sink);
        var windows = plan.Parts.Windows.Select(window => new WindowState(window, context)).ToArray();
        foreach (var window in windows) window.Root.Connect(window.Plan, windows);
        var inputs = plan.Parts.Inputs.ToDictionary(input => input, input => new InputState(input, context));
        foreach (var input in plan.Parts.Inputs)
        {
            foreach (var source in sources.Where(source => Reads(given, input.Name, source.Partition)))
                source.Inputs.Add(inputs[input]);
        }

        var pipelines = plan.Parts.Feeds.Select(feed => feed.Pipeline).Distinct().Order()
            .Select(number => Pipeline(number, plan, options, context, sources, given, inputs, windows)).ToArray();
        foreach (var source in sources) source.Inputs.RemoveAll(input => !input.HasTakers(source.Rank));
        context.NextDueChanged = changed =>
        {
            foreach (var pipeline in pipelines)
            {
                if (pipeline.Has(changed)) pipeline.NextDueChanged();
            }
        };
        return (sources, pipelines);
    }

    private static PipelineState Pipeline(
        int number, QueryPlan plan, QueryEngineOptions options, EngineContext context, SourceState[] sources,
        IReadOnlyList<QuerySource> given, Dictionary<InputPlan, InputState> inputs, WindowState[] windows)
    {
        var feeds = new List<FeedState>();
        var roots = new List<RootState>();
        foreach (var feed in plan.Parts.Feeds.Where(feed => feed.Pipeline == number))
        {
            var root = new RootState(feed, inputs[feed.Input].Slots, context);
            root.Connect(feed, windows);
            foreach (var source in sources.Where(source => Reads(given, feed.Input.Name, source.Partition)))
            {
                feeds.Add(new FeedState(feed, source.Rank, options));
                roots.Add(root);
                source.Feeds = [.. source.Feeds, feeds[^1]];
            }
        }

        var own = windows.Where(window => window.Plan.Pipeline == number).ToArray();
        var pipeline = new PipelineState(context, [.. feeds], [.. roots], own);
        for (var i = 0; i < feeds.Count; i++) inputs[feeds[i].Plan.Input].AddTaker(feeds[i], pipeline, i);
        return pipeline;
    }

    private static bool Reads(IReadOnlyList<QuerySource> given, string input, TopicPartition partition) =>
        given.Any(source => source.Partition == partition
            && source.Input.Equals(input, StringComparison.OrdinalIgnoreCase));
}
