using Microsoft.Extensions.Options;

namespace Millrace.EventLog;

/// <summary>What queries may read besides the hub's own topics. Section "Queries".</summary>
public sealed class QueryInputOptions
{
    /// <summary>
    /// Names for FROM, each with the topic that it reads, such as <c>iothub = telemetry</c>, so that queries keep the
    /// input names that they came with. The topic has as many partitions as the hub.
    /// </summary>
    public Dictionary<string, string> Inputs { get; set; } = [];
}

/// <summary>The topics behind the names after FROM: the hub's, configured ones, and outputs of queries.</summary>
public sealed class QueryInputs(IEventLog log, IOptions<QueryInputOptions> options)
{
    private static readonly string[] Hub =
        [Contracts.Topics.Telemetry, Contracts.Topics.Lifecycle, Contracts.Topics.Alerts];

    /// <summary>Every name that can be read now.</summary>
    public IReadOnlyList<string> Names =>
    [
        .. Hub, .. options.Value.Inputs.Keys,
        .. log.Topics.Where(topic => topic.StartsWith(Contracts.Topics.OutputPrefix, StringComparison.Ordinal))
            .Select(topic => topic[Contracts.Topics.OutputPrefix.Length..]),
    ];

    /// <summary>
    /// The topic, whatever the case of the name; null when there is none, or it is not parted as the hub is.
    /// </summary>
    public TopicInfo? Find(string name)
    {
        var wanted = Hub.FirstOrDefault(known => Same(known, name))
            ?? options.Value.Inputs.FirstOrDefault(input => Same(input.Key, name)).Value
            ?? Contracts.Topics.OutputPrefix + name;
        var topic = log.FindTopic(wanted) ?? log.FindTopic(log.Topics.FirstOrDefault(t => Same(t, wanted)) ?? wanted);
        return topic?.Partitions == log.FindTopic(Contracts.Topics.Telemetry)?.Partitions ? topic : null;
    }

    private static bool Same(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);
}
