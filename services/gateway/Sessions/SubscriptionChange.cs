using Millrace.Mqtt;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>A SUBSCRIBE or UNSUBSCRIBE on its way, copied out of the received bytes.</summary>
/// <param name="Answer">SUBACK or UNSUBACK.</param>
/// <param name="Codes">What is answered to each filter.</param>
internal sealed record SubscriptionChange(
    PacketType Answer, ushort PacketId, byte[] Codes, IReadOnlyList<SessionSubscription> Added,
    IReadOnlyList<string> Removed);
