using Millrace.Mqtt;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.Gateway.Bridge.Link;

/// <summary>What a broker grants in CONNACK (MQTT 5 §3.2.2.3). One of 3.1.1 says nothing, and has no bounds.</summary>
internal sealed class BrokerGrants(BridgeOptions options, MqttClientConnectResult accepted)
{
    public uint PacketBytesMax => accepted.MaximumPacketSize is > 0 and var most ? most : uint.MaxValue;

    public int ReceiveMaximum => accepted.ReceiveMaximum is > 0 and var most ? most : ushort.MaxValue;

    /// <summary>What the bridge needs and the broker does not do; null: nothing.</summary>
    /// <param name="filters">What the bridge subscribes to.</param>
    public string? Lacking(IEnumerable<string> filters)
    {
        if (options.Version != MqttVersion.V5) return null;
        if (options.Outputs.Count > 0 && accepted.MaximumQoS < MqttQualityOfServiceLevel.AtLeastOnce)
            return "It takes at most QoS 0, and outputs go out at QoS 1.";
        if (options.Subscriptions.Count == 0) return null;
        if (options.SharedGroup.Length > 0 && !accepted.SharedSubscriptionAvailable)
            return "It has no shared subscriptions, and the bridge has a SharedGroup.";
        return !accepted.WildcardSubscriptionAvailable && filters.Any(filter => filter.AsSpan().ContainsAny('+', '#'))
            ? "It has no subscriptions with wildcards."
            : null;
    }
}
