using Millrace.Stores.Retained;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>A space as it is at work.</summary>
/// <param name="EventLogTopic">Where its messages go as well; null: nowhere.</param>
internal sealed record TopicSpace(string Name, bool MayRetain, RetainedLimits Retained, string? EventLogTopic);

/// <summary>Whether a device may use a topic.</summary>
internal enum TopicDecision : byte
{
    /// <summary>No space has it.</summary>
    NoSpace,

    /// <summary>A space has it, or some of what the filter asks for, and does not let this device.</summary>
    Denied,

    Granted,
}
