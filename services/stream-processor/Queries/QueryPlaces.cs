using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql;
using Millrace.Stores.Queries;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// Resolves a stored query: its inputs and outputs become topics, and where it begins is fixed for good.
/// </summary>
internal sealed class QueryPlaces(IEventLog log, QueryInputs topics, QueryStarts queryStarts)
{
    public async Task<IReadOnlyList<QueryPlace>> ResolveAsync(QueryConfig config, QueryPlan plan, CancellationToken ct)
    {
        var hub = log.FindTopic(Topics.Telemetry)!.Partitions;
        foreach (var output in plan.Outputs)
            await log.EnsureTopicAsync(new TopicSpec(Topics.Output(output), hub), ct);
        var inputs = plan.Inputs.Select(name => (Name: name, Topic: topics.Find(name)?.Name
            ?? throw StreamProcessorErrors.InputUnknown.With(name).AsException())).ToList();
        var starts = await queryStarts.FixAsync(
            config, inputs.Select(i => i.Topic), plan.Outputs.Select(Topics.Output), ct);
        var all = Enumerable.Range(0, hub).ToList();
        return plan.Scope == QueryScope.PerPartition
            ? [.. all.Select(p => Place(p, [p]))]
            : [Place(-1, all)];

        QueryPlace Place(int partition, IReadOnlyList<int> read)
        {
            var write = Math.Max(partition, 0);
            var targets = plan.Outputs.Select(o => new TopicPartition(Topics.Output(o), write)).ToList();
            var sources = inputs.SelectMany(input => read.Select(p => new TopicPartition(input.Topic, p))
                .Select(tp => new QuerySource(input.Name, tp, starts.GetValueOrDefault(tp.ToString())))).ToList();
            var outputStarts = targets.Distinct().ToDictionary(
                t => t, t => starts.GetValueOrDefault(QueryStarts.OutputMark + t));
            return new QueryPlace(config, plan, partition, sources, targets, outputStarts);
        }
    }
}
