using System.Text;
using Millrace.Mqtt;
using Millrace.Mqtt.Packets;

namespace Millrace.Gateway.Topics;

/// <summary>
/// What a device may subscribe to: its own topics for commands, twins and methods, named literally. They are granted
/// although nothing is sent on them yet, so that firmware which expects them goes on.
/// </summary>
internal static class OwnTopics
{
    private static ReadOnlySpan<byte> Hub => "$iothub/"u8;

    /// <summary>The SUBACK code: the granted QoS, at most 1, or a failure.</summary>
    public static byte Grant(Subscription subscription, string deviceId, MqttVersion version)
    {
        var reason = Check(subscription.Filter, deviceId);
        if (reason == ReasonCode.Success) return (byte)Math.Min(subscription.Qos, 1);
        return version == MqttVersion.V5 ? (byte)reason : ReasonCodes.SubAckFailureV311;
    }

    public static bool MayHave(ReadOnlySpan<byte> filter, string deviceId) =>
        Check(filter, deviceId) == ReasonCode.Success;

    private static ReasonCode Check(ReadOnlySpan<byte> filter, string deviceId)
    {
        if (!TopicFilter.IsValid(filter)) return ReasonCode.TopicFilterInvalid;
        if (TopicFilter.IsShared(filter)) return ReasonCode.SharedSubscriptionsNotSupported;
        if (filter.StartsWith(Hub)) return ReasonCode.Success;

        // A device id may hold + and #, which are wildcards in a filter; one is compared as it is written.
        var own = Encoding.UTF8.GetBytes($"devices/{deviceId}/");
        return filter.StartsWith(own) ? ReasonCode.Success : ReasonCode.NotAuthorized;
    }
}
