namespace Millrace.Mqtt.Session;

/// <summary>What a server grants each session; announced in the CONNACK of MQTT 5.</summary>
/// <param name="PacketBytesMax">The largest packet that is taken.</param>
/// <param name="InFlightMax">Unacknowledged QoS 1 and 2 publishes: the receive maximum. 1 to 65535.</param>
/// <param name="TopicAliasMax">The greatest topic alias that a client may use; 0 for none.</param>
/// <param name="KeepAliveMaxSeconds">The longest keep-alive; 0 for no limit.</param>
/// <param name="SessionExpiryMaxSeconds">The longest that a session outlives its connection.</param>
/// <param name="OutboundInFlightMax">Publishes to a client that it has not acknowledged; 1 to 65535.</param>
/// <param name="OutboundTopicAliasMax">Topic aliases that are used towards a client that takes them.</param>
/// <param name="MayRetain">Some messages may be retained; which, the shell decides.</param>
/// <param name="MayShare">Some subscriptions may be shared; which, the shell decides.</param>
public sealed record SessionLimits(
    int PacketBytesMax, int InFlightMax, int TopicAliasMax, int KeepAliveMaxSeconds, uint SessionExpiryMaxSeconds,
    int OutboundInFlightMax, int OutboundTopicAliasMax, bool MayRetain = false, bool MayShare = false)
{
    /// <summary>The longest topic that the server takes; it refuses longer ones, under an alias too.</summary>
    public int TopicBytesMax { get; init; } = ushort.MaxValue;
}
