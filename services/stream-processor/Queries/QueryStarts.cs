using System.Globalization;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.Checkpoints;
using Millrace.Stores.Queries;

namespace Millrace.StreamProcessor.Queries;

/// <summary>Decides where a version of a query begins, once.</summary>
internal sealed class QueryStarts(IEventLog log, IQueryStore store, ICheckpointStore checkpoints)
{
    /// <summary>The start also keeps where the outputs stood, under names that no topic can have.</summary>
    public const string OutputMark = ">";

    /// <summary>Where the version before stands, with what it keeps.</summary>
    public const string State = "state";

    /// <summary>
    /// The start also keeps that substreams have timelines of their own in the second of two stages.
    /// </summary>
    private const string Timelines = OutputMark + "timelines";

    /// <summary>The number of the only place.</summary>
    public const int OnePlace = -1;

    /// <summary>Where the version before stands.</summary>
    public const string Last = "last";

    private static readonly Dictionary<string, long> Nowhere = [];

    /// <summary>Nowhere when a later version began before this one: then this one never does.</summary>
    public async Task<IReadOnlyDictionary<string, long>> FixAsync(
        QueryConfig config, IEnumerable<string> inputs, IEnumerable<string> outputs, bool hasTimelines,
        CancellationToken ct)
    {
        var offsets = new Dictionary<string, long>();
        var last = config.Options.StartFrom is Last or State ? await LastAsync(config, ct) : Nowhere;
        foreach (var partition in inputs.SelectMany(PartitionsOf))
        {
            var key = partition.ToString();
            offsets[key] = last.TryGetValue(key, out var stood) ? stood : await StartAsync(config, partition, ct);
        }

        foreach (var partition in outputs.SelectMany(PartitionsOf))
            offsets[OutputMark + partition] = (await log.RangeAsync(partition, ct)).Next;
        if (hasTimelines) offsets[Timelines] = 1;
        return await store.FixStartAsync(config.Name, config.Version, offsets, ct);
    }

    /// <summary>
    /// The last version before this one that was begun; 0 when there is none. Those in between never begin any more.
    /// </summary>
    public async Task<int> LastVersionAsync(QueryConfig config, CancellationToken ct)
    {
        var version = config.Version - 1;
        while (version > 0 && IsSuperseded(await store.FixStartAsync(config.Name, version, Nowhere, ct))) version--;
        return version;
    }

    /// <summary>Whether a later version began before this one could.</summary>
    public static bool IsSuperseded(IReadOnlyDictionary<string, long> start) => start.Count == 0;

    /// <summary>Whether the start is of two stages: it knows where the topic in between stood.</summary>
    public static bool IsStaged(IReadOnlyDictionary<string, long> start, string query) =>
        start.ContainsKey(OutputMark + new TopicPartition(Topics.Repartition(query), 0));

    /// <summary>Whether the start is of substreams with timelines of their own in a second stage.</summary>
    public static bool HasTimelines(IReadOnlyDictionary<string, long> start) => start.ContainsKey(Timelines);

    /// <summary>The same of a version that was begun.</summary>
    public async Task<bool> HasTimelinesAsync(string query, int version, CancellationToken ct) =>
        HasTimelines(await store.FixStartAsync(query, version, Nowhere, ct));

    /// <summary>
    /// Whether a version that was begun is answered in two stages; null when it is not, and keeps nothing in one place
    /// either.
    /// </summary>
    public async Task<bool?> FindStagedAsync(string query, int version, CancellationToken ct)
    {
        if (IsStaged(await store.FixStartAsync(query, version, Nowhere, ct), query)) return true;
        return await checkpoints.FindAsync(new CheckpointKey(query, version, OnePlace), ct) is null ? null : false;
    }

    /// <summary>Where the last version that was begun stands: its checkpoints, or else where it began.</summary>
    private async Task<IReadOnlyDictionary<string, long>> LastAsync(QueryConfig config, CancellationToken ct)
    {
        var version = await LastVersionAsync(config, ct);
        if (version == 0) return Nowhere;
        var stands = new Dictionary<string, long>(await store.FixStartAsync(config.Name, version, Nowhere, ct));
        for (var place = OnePlace; place < log.FindTopic(Topics.Telemetry)!.Partitions; place++)
        {
            var checkpoint = await checkpoints.FindAsync(new CheckpointKey(config.Name, version, place), ct);
            foreach (var input in checkpoint?.Inputs ?? []) stands[input.Partition.ToString()] = input.Offset;
        }

        return stands;
    }

    private async ValueTask<long> StartAsync(QueryConfig config, TopicPartition partition, CancellationToken ct)
    {
        var from = config.Options.StartFrom;
        if (from is "now" or Last or State) return (await log.RangeAsync(partition, ct)).Next;
        if (from == "earliest") return (await log.RangeAsync(partition, ct)).First;
        return DateTimeOffset.TryParse(from, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? await log.OffsetAtAsync(partition, time.ToUnixTimeMilliseconds(), ct)
            : throw StreamProcessorErrors.StateIncompatible.With(from).AsException();
    }

    private IEnumerable<TopicPartition> PartitionsOf(string topic) =>
        Enumerable.Range(0, log.FindTopic(topic)!.Partitions).Select(p => new TopicPartition(topic, p));
}
