using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql;
using Millrace.Stores.Queries;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// Resolves a stored query: its inputs and outputs become topics, and where it begins is fixed for good, and with it in
/// how many stages it is answered.
/// </summary>
internal sealed class QueryPlaces(
    IEventLog log, QueryInputs topics, QueryStarts queryStarts, IOptions<StreamProcessorOptions> options,
    TimeProvider time)
{
    public async Task<IReadOnlyList<QueryPlace>> ResolveAsync(QueryConfig config, QueryPlan plan, CancellationToken ct)
    {
        var hub = log.FindTopic(Topics.Telemetry)!.Partitions;
        var inputs = plan.Inputs.Select(name => (Name: name, Topic: topics.Find(name)?.Name
            ?? throw StreamProcessorErrors.InputUnknown.With(name).AsException())).ToList();
        var between = plan.Scope == QueryScope.ByKey && hub > 1 ? Topics.Repartition(config.Name) : null;
        List<string> written = [.. plan.Outputs.Select(Topics.Output)];
        if (between is not null) written.Add(between);
        foreach (var topic in written) await log.EnsureTopicAsync(new TopicSpec(topic, hub), ct);
        var starts = await queryStarts.FixAsync(config, inputs.Select(i => i.Topic), written, ct);
        var earlier = config.Options.StartFrom == QueryStarts.State
            ? await queryStarts.LastVersionAsync(config, ct) : 0;
        var all = Enumerable.Range(0, hub).ToList();
        if (plan.Scope == QueryScope.PerPartition) return [.. all.Select(p => Answering(p, Reading([p]), p))];

        // A start that knows of no topic in between is of one place.
        return between is not null && starts.ContainsKey(QueryStarts.OutputMark + new TopicPartition(between, 0))
            ? Staged(between)
            : [Answering(-1, Reading(all), 0)];

        List<QueryPlace> Staged(string between)
        {
            var read = Reading(all);
            var activity = new InputActivity(
                log, [.. read.Select(source => source.Partition)], time, options.Value.TickInterval);
            TopicPartition[] targets = [.. all.Select(p => new TopicPartition(between, p))];
            return
            [
                .. all.Select(p => new QueryPlace(config, plan, p, Reading([p]), targets, OutputStarts(targets))
                {
                    Stage = QueryStage.Dealer, AllSources = read, EarlierVersion = earlier, Activity = activity,
                }),
                .. all.Select(p => Answering(hub + p, [new QuerySource(between, targets[p], Start(targets[p]))], p) with
                {
                    Stage = QueryStage.Target, AllSources = read,
                }),
            ];
        }

        QueryPlace Answering(int place, IReadOnlyList<QuerySource> read, int write)
        {
            TopicPartition[] targets = [.. plan.Outputs.Select(o => new TopicPartition(Topics.Output(o), write))];
            return new QueryPlace(config, plan, place, read, targets, OutputStarts(targets))
            {
                EarlierVersion = earlier,
            };
        }

        List<QuerySource> Reading(IReadOnlyList<int> partitions) =>
        [
            .. inputs.SelectMany(input => partitions.Select(p => new TopicPartition(input.Topic, p))
                .Select(tp => new QuerySource(input.Name, tp, starts.GetValueOrDefault(tp.ToString()),
                    NeedsKey: tp.Topic == Topics.Telemetry))),
        ];

        Dictionary<TopicPartition, long> OutputStarts(IEnumerable<TopicPartition> targets) =>
            targets.Distinct().ToDictionary(target => target, Start);

        long Start(TopicPartition written) => starts.GetValueOrDefault(QueryStarts.OutputMark + written);
    }
}
