using Millrace.Primitives;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>Topics in which devices publish to each other; section Gateway:TopicSpaces.</summary>
public sealed class TopicSpacesOptions
{
    /// <summary>Without it, there are no topics but the platform's own and the free ones.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// Lets in connections without a password, from this machine, under their client id. Every listener has to be on a
    /// loopback address.
    /// </summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>
    /// Says that this gateway is the hub's only one, though the event log is on Kafka: what a device publishes in a
    /// space reaches devices of its own gateway.
    /// </summary>
    public bool OnlyGateway { get; set; }

    /// <summary>A topic belongs to one space: filters of two spaces may not overlap.</summary>
    public List<TopicSpaceOptions> Spaces { get; set; } = [];
}

/// <summary>Topics that belong together, and who may do what in them.</summary>
public sealed class TopicSpaceOptions
{
    /// <summary>1 to 64 of a-z, 0-9 and -. What is retained is kept under it.</summary>
    public string Name { get; set; } = "";

    /// <summary>Who may publish where. What none of them allows is refused.</summary>
    public List<TopicAccessOptions> Publish { get; set; } = [];

    /// <summary>
    /// Who may subscribe to what. A filter is granted when one of these alone allows all that it can match.
    /// </summary>
    public List<TopicAccessOptions> Subscribe { get; set; } = [];

    /// <summary>Whether messages may be retained.</summary>
    public bool Retain { get; set; }

    /// <summary>Retained messages at a time; a message beyond them is refused.</summary>
    public long RetainedMax { get; set; } = 10_000;

    /// <summary>Topics, properties and bodies of retained messages together.</summary>
    public ByteSize RetainedBytesMax { get; set; } = ByteSize.FromMiB(64);

    /// <summary>
    /// A topic of the event log that all messages of the space go to as well: <c>telemetry</c>, or one of its own whose
    /// name begins with <c>space.</c>. Empty: none.
    /// </summary>
    public string ToEventLog { get; set; } = "";
}

/// <summary>Topics, and which devices may use them: every one, or those with one of the ids or tags.</summary>
public sealed class TopicAccessOptions
{
    /// <summary>
    /// A topic filter, with + and #. A level <c>{deviceId}</c> stands for the device's own id, like
    /// <c>fleet/{deviceId}/status</c>.
    /// </summary>
    public string Filter { get; set; } = "";

    /// <summary>Every device that was let in.</summary>
    public bool Everyone { get; set; }

    /// <summary>Ids of devices.</summary>
    public List<string> Devices { get; set; } = [];

    /// <summary>
    /// <c>name=value</c>: devices whose tag of that name has that value. Numbers and truth values as JSON writes them.
    /// </summary>
    public List<string> Tags { get; set; } = [];
}
