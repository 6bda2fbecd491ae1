using Millrace.Mqtt;

namespace Millrace.Gateway.Topics;

internal static class PublishRefusals
{
    /// <summary>What MQTT 5 has for it in PUBACK and PUBREC.</summary>
    public static ReasonCode Code(this PublishRefusal refusal) => refusal switch
    {
        PublishRefusal.None => ReasonCode.Success,
        PublishRefusal.TopicOfAnother or PublishRefusal.TopicDenied or PublishRefusal.RetainDenied =>
            ReasonCode.NotAuthorized,
        PublishRefusal.TooManyProperties or PublishRefusal.TooManyExchanges or PublishRefusal.RetainedFull
            or PublishRefusal.DayQuotaReached => ReasonCode.QuotaExceeded,
        _ => ReasonCode.TopicNameInvalid,
    };

    /// <summary>The reason in words, for people who read a client's log.</summary>
    public static string? Text(this PublishRefusal refusal) => refusal switch
    {
        PublishRefusal.TopicUnknown => "The topic is none that this hub knows.",
        PublishRefusal.TopicOfAnother => "The topic belongs to another device.",
        PublishRefusal.PropertyBagInvalid => "The topic's property bag is not URL-encoded UTF-8.",
        PublishRefusal.TooManyProperties => "The message has too many properties, or a name that is too long.",
        PublishRefusal.TooManyExchanges => "Too many QoS 2 publishes are open.",
        PublishRefusal.TopicDenied => "The topic's space does not let this device publish to it.",
        PublishRefusal.RetainDenied => "The topic's space retains nothing.",
        PublishRefusal.RetainedFull => "The topic's space has no room for another retained message.",
        PublishRefusal.TopicTooLong => "The topic is too long.",
        PublishRefusal.TopicTooDeep => "The topic has too many levels.",
        PublishRefusal.DayQuotaReached => "No more may be published today.",
        _ => null,
    };
}
