using System.Globalization;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql;
using Millrace.Stores.Queries;

namespace Millrace.StreamProcessor.Queries;

/// <summary>Resolves a stored query: its inputs and outputs become topics, and where it begins is fixed for
/// good.</summary>
internal sealed class QueryPlaces(IEventLog log, IQueryStore store)
{
    // The start also keeps where the outputs stood, under names that no topic can have.
    private const string OutputMark = ">";

    public async Task<IReadOnlyList<QueryPlace>> ResolveAsync(QueryConfig config, QueryPlan plan, CancellationToken ct)
    {
        var hub = log.FindTopic(Topics.Telemetry)!.Partitions;
        foreach (var output in plan.Outputs)
            await log.EnsureTopicAsync(new TopicSpec(Topics.Output(output), hub), ct);
        var inputs = plan.Inputs.Select(name => (Name: name, Topic: TopicOf(name))).ToList();
        var starts = await store.FixStartAsync(config.Name, config.Version, await BeginAsync(config, plan, inputs, ct),
            ct);
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
            var outputStarts = targets.Distinct().ToDictionary(t => t, t => starts.GetValueOrDefault(OutputMark + t));
            return new QueryPlace(config, plan, partition, sources, targets, outputStarts);
        }
    }

    /// <summary>The topic behind a name after FROM.</summary>
    private string TopicOf(string input)
    {
        if (input.Equals(Topics.Telemetry, StringComparison.OrdinalIgnoreCase)) return Topics.Telemetry;
        var topic = log.FindTopic(Topics.OutputPrefix + input)
            ?? (input == Topics.Alerts ? log.FindTopic(input) : null);
        return topic?.Name ?? throw StreamProcessorErrors.InputUnknown.With(input).AsException();
    }

    private async Task<Dictionary<string, long>> BeginAsync(
        QueryConfig config, QueryPlan plan, IEnumerable<(string Name, string Topic)> inputs, CancellationToken ct)
    {
        var offsets = new Dictionary<string, long>();
        foreach (var partition in inputs.SelectMany(input => PartitionsOf(input.Topic)))
            offsets[partition.ToString()] = await StartAsync(config.Options.StartFrom, partition, ct);
        foreach (var partition in plan.Outputs.SelectMany(o => PartitionsOf(Topics.Output(o))))
            offsets[OutputMark + partition] = (await log.RangeAsync(partition, ct)).Next;
        return offsets;
    }

    private async ValueTask<long> StartAsync(string from, TopicPartition partition, CancellationToken ct)
    {
        if (from == "now") return (await log.RangeAsync(partition, ct)).Next;
        if (from == "earliest") return (await log.RangeAsync(partition, ct)).First;
        return DateTimeOffset.TryParse(from, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? await log.OffsetAtAsync(partition, time.ToUnixTimeMilliseconds(), ct)
            : throw StreamProcessorErrors.StateIncompatible.With(from).AsException();
    }

    private IEnumerable<TopicPartition> PartitionsOf(string topic) =>
        Enumerable.Range(0, log.FindTopic(topic)!.Partitions).Select(p => new TopicPartition(topic, p));
}
