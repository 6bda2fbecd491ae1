using System.Text;
using Millrace.Contracts;

namespace Millrace.Stores.Sessions;

/// <summary>A message to a device.</summary>
/// <param name="Properties">As MQTT 5 encodes them, without their length, subscription ids and expiry left out.</param>
/// <param name="ExpiresAt">After it, the message need not be sent any more.</param>
/// <param name="Source">The record that it comes from; with it, a record that is read again is queued once.</param>
/// <param name="SubscriptionIds">Of the subscriptions that it matched.</param>
public sealed record OutboundMessage(
    string Topic, int Qos, bool Retain, byte[] Properties, byte[] Payload, DateTimeOffset? ExpiresAt,
    PartitionOffset? Source, IReadOnlyList<uint> SubscriptionIds)
{
    /// <summary>The shared subscription by which others may have it when its session ends; null: nobody.</summary>
    public string? Share { get; init; }

    /// <summary>What it counts in a queue: topic, properties and body.</summary>
    public int Bytes => Encoding.UTF8.GetByteCount(Topic) + Properties.Length + Payload.Length;
}

/// <summary>A message for one session, in whose queue there may wait as much as the limits say.</summary>
public readonly record struct SessionMessage(SessionKey Key, OutboundMessage Message, QueueLimits Limits);

/// <summary>A message in a session's queue. Its source is not kept with it.</summary>
/// <param name="Sequence">Counts up by one within the session, from 1, and is never used again.</param>
/// <param name="IsReceived">The device has it (PUBREC); its properties and body are let go.</param>
public sealed record QueuedMessage(long Sequence, OutboundMessage Message, bool IsReceived)
{
    /// <summary>The same after a crash, as long as less than 65,535 messages are in flight.</summary>
    public ushort PacketId => PacketIdOf(Sequence);

    public static ushort PacketIdOf(long sequence) => (ushort)((sequence - 1) % ushort.MaxValue + 1);
}

/// <summary>How much may wait in one session. Bytes are those of topic, properties and body.</summary>
public sealed record QueueLimits(int MessagesMax, long BytesMax);

/// <param name="Sequence">Of a queued message; 0 of any other.</param>
public readonly record struct EnqueueResult(EnqueueOutcome Outcome, long Sequence);

public enum EnqueueOutcome
{
    /// <summary>It waits in the session.</summary>
    Queued,

    /// <summary>A message from its source's partition, at this offset or a later one, was queued before.</summary>
    Known,

    /// <summary>The queue has no room for it.</summary>
    Full,

    /// <summary>There is no such session, or it has expired.</summary>
    NoSession,
}
