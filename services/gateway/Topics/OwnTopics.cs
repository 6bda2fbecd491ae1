using System.Text;
using Millrace.Mqtt;
using Millrace.Mqtt.Packets;

namespace Millrace.Gateway.Topics;

/// <summary>
/// What a device may subscribe to: its own topics, named literally. Azure's for twins and methods are granted although
/// nothing is sent on them yet, so that firmware which expects them goes on.
/// </summary>
internal static class OwnTopics
{
    private static ReadOnlySpan<byte> Hub => "$iothub/"u8;

    /// <summary>The SUBACK code: the granted QoS, or a failure.</summary>
    public static byte Grant(Subscription subscription, string deviceId, MqttVersion version)
    {
        var reason = Check(subscription.Filter, deviceId);
        return reason == ReasonCode.Success ? (byte)subscription.Qos : Failure(reason, version);
    }

    public static byte Failure(ReasonCode reason, MqttVersion version) =>
        version == MqttVersion.V5 ? (byte)reason : ReasonCodes.SubAckFailureV311;

    /// <summary>The prefix of a device's own topics.</summary>
    public static string Prefix(string deviceId) => $"devices/{deviceId}/";

    /// <summary>Whether a granted filter asks for a topic below the device's prefix.</summary>
    public static bool Matches(string filter, string topic, string deviceId)
    {
        var prefix = Prefix(deviceId);
        return filter.StartsWith(prefix, StringComparison.Ordinal) && TopicFilter.LevelsMatch(
            Encoding.UTF8.GetBytes(filter[prefix.Length..]), Encoding.UTF8.GetBytes(topic[prefix.Length..]));
    }

    /// <summary>Whether a filter that was granted is of the device's own topics.</summary>
    public static bool Has(string filter, string deviceId) =>
        Check(Encoding.UTF8.GetBytes(filter), deviceId) == ReasonCode.Success;

    private static ReasonCode Check(ReadOnlySpan<byte> filter, string deviceId)
    {
        if (!TopicFilter.IsValid(filter)) return ReasonCode.TopicFilterInvalid;
        if (TopicFilter.IsShared(filter)) return ReasonCode.SharedSubscriptionsNotSupported;
        if (filter.StartsWith(Hub)) return ReasonCode.Success;

        // A device id may hold + and #, which are wildcards in a filter; one is compared as it is written.
        var own = Encoding.UTF8.GetBytes(Prefix(deviceId));
        return filter.StartsWith(own) ? ReasonCode.Success : ReasonCode.NotAuthorized;
    }
}
