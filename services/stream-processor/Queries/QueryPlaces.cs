using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql;
using Millrace.Stores.Queries;
using Millrace.Stores.Upgrades;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// Resolves a stored query: its inputs and outputs become topics, and where it begins is fixed for good, and with it in
/// how many stages it is answered.
/// </summary>
internal sealed class QueryPlaces(
    IEventLog log, QueryInputs topics, QueryStarts queryStarts, IUpgradeStore upgrades,
    IOptions<StreamProcessorOptions> options, TimeProvider time)
{
    /// <summary>None of a version that a later one overtook.</summary>
    public async Task<IReadOnlyList<QueryPlace>> ResolveAsync(QueryConfig config, QueryPlan plan, CancellationToken ct)
    {
        var hub = log.FindTopic(Topics.Telemetry)!.Partitions;
        var inputs = plan.Inputs.Select(name => (Name: name, Topic: topics.Find(name)?.Name
            ?? throw StreamProcessorErrors.InputUnknown.With(name).AsException())).ToList();
        var between = Topics.Repartition(config.Name);
        var earlier = config.Options.StartFrom == QueryStarts.State
            ? await queryStarts.LastVersionAsync(config, ct) : 0;
        var preceding = config.Options.StartFrom == QueryStarts.Last
            ? await queryStarts.LastVersionAsync(config, ct) : 0;
        List<string> written = [.. plan.Outputs.Select(Topics.Output)];
        if (plan.Scope == QueryScope.ByKey && hub > 1 && await BeginsStagedAsync(config, earlier, plan, ct))
            written.Add(between);
        foreach (var topic in written) await log.EnsureTopicAsync(new TopicSpec(topic, hub), ct);
        var hasTimelines = written.Contains(between) && plan.HasTimelinesByKey
            && await BeginsWithTimelinesAsync(config, earlier, ct);
        var starts = await queryStarts.FixAsync(config, inputs.Select(i => i.Topic), written, hasTimelines, ct);
        if (QueryStarts.IsSuperseded(starts)) return [];
        var all = Enumerable.Range(0, hub).ToList();
        if (plan.Scope == QueryScope.PerPartition) return [.. all.Select(p => Answering(p, Reading([p]), p))];

        // The start decides, whoever fixed it: one that knows of no topic in between is of one place.
        if (plan.Scope != QueryScope.ByKey || hub == 1 || !QueryStarts.IsStaged(starts, config.Name))
            return [Answering(QueryStarts.OnePlace, Reading(all), 0)];
        if (!written.Contains(between)) await log.EnsureTopicAsync(new TopicSpec(between, hub), ct);
        return Staged();

        List<QueryPlace> Staged()
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
                    HasTimelinesByKey = QueryStarts.HasTimelines(starts),
                }),
                .. all.Select(p => Answering(hub + p, [new QuerySource(between, targets[p], Start(targets[p]))], p) with
                {
                    Stage = QueryStage.Target, AllSources = read, PrecedingVersion = 0,
                    HasTimelinesByKey = QueryStarts.HasTimelines(starts),
                }),
            ];
        }

        QueryPlace Answering(int place, IReadOnlyList<QuerySource> read, int write)
        {
            TopicPartition[] targets = [.. plan.Outputs.Select(o => new TopicPartition(Topics.Output(o), write))];
            return new QueryPlace(config, plan, place, read, targets, OutputStarts(targets))
            {
                EarlierVersion = earlier,
                PrecedingVersion = preceding,
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

    /// <summary>
    /// Whether a version that has no start yet begins in two stages. One that takes the state of another begins in as
    /// many as that one. Rows of an input that go by several keys wait until the upgrade is finalised: an older program
    /// would answer such a query in one place, beside this one.
    /// </summary>
    private async ValueTask<bool> BeginsStagedAsync(
        QueryConfig config, int earlier, QueryPlan plan, CancellationToken ct)
    {
        if (earlier > 0 && await queryStarts.FindStagedAsync(config.Name, earlier, ct) is { } wasStaged)
            return wasStaged;
        return !plan.SendsBySeveralKeys || await IsFinalisedAsync(ct);
    }

    /// <summary>
    /// Whether substreams of a version that has no start yet have timelines in its second stage, whose state older
    /// programs do not read. One that takes the state of another keeps what that one keeps.
    /// </summary>
    private async ValueTask<bool> BeginsWithTimelinesAsync(QueryConfig config, int earlier, CancellationToken ct) =>
        earlier > 0 ? await queryStarts.HasTimelinesAsync(config.Name, earlier, ct) : await IsFinalisedAsync(ct);

    private async ValueTask<bool> IsFinalisedAsync(CancellationToken ct) =>
        (await upgrades.ReadAsync(ct)).IsFinalised;
}
