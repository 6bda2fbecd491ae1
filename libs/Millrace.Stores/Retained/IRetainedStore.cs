namespace Millrace.Stores.Retained;

/// <summary>The last message of a topic that was published to be retained (MQTT 5 §3.3.1.3).</summary>
/// <param name="Space">The topic space; the same topic of another space is another topic.</param>
/// <param name="Properties">As MQTT 5 encodes them, without their length, the expiry left out.</param>
/// <param name="Payload">An empty one clears the topic.</param>
public sealed record RetainedMessage(
    string Space, string Topic, int Qos, byte[] Properties, byte[] Payload, DateTimeOffset RetainedAt,
    DateTimeOffset? ExpiresAt);

/// <summary>How much one space may retain. Bytes are those of topic, properties and body.</summary>
public sealed record RetainedLimits(long MessagesMax, long BytesMax);

public enum RetainOutcome
{
    /// <summary>It is its topic's message now.</summary>
    Retained,

    /// <summary>Its topic has no message any more.</summary>
    Cleared,

    /// <summary>The space has no room for it; what its topic had before stays.</summary>
    Full,
}

/// <summary>One message for each topic of a space. What a call has returned is durable.</summary>
public interface IRetainedStore
{
    /// <summary>
    /// Takes messages in their order, those of a space in one step or, when they are many, in some; what came of each
    /// is told in that order.
    /// </summary>
    ValueTask<IReadOnlyList<RetainOutcome>> SetAsync(
        IReadOnlyList<RetainedMessage> messages, RetainedLimits limits, CancellationToken ct = default);

    /// <summary>The message of a topic that has not expired at the time.</summary>
    ValueTask<RetainedMessage?> FindAsync(
        string space, string topic, DateTimeOffset now, CancellationToken ct = default);

    /// <summary>
    /// Messages of a space whose topic begins so, in the order of its bytes, that have not expired at the time. The
    /// prefix of a filter is what stands before its first wildcard.
    /// </summary>
    ValueTask<Page<RetainedMessage>> ListAsync(
        string space, string topicPrefix, DateTimeOffset now, int limit, string? continuation,
        CancellationToken ct = default);

    /// <summary>
    /// The topics alone of those messages, whose bodies are not read: for a filter that takes few of what its prefix
    /// has.
    /// </summary>
    ValueTask<Page<string>> ListTopicsAsync(
        string space, string topicPrefix, DateTimeOffset now, int limit, string? continuation,
        CancellationToken ct = default);

    /// <summary>How much all spaces retain, expired messages that were not removed yet included.</summary>
    ValueTask<long> CountAsync(CancellationToken ct = default);

    /// <summary>Removes messages that have expired at the time, and returns how many.</summary>
    ValueTask<long> ExpireAsync(DateTimeOffset now, CancellationToken ct = default);
}
