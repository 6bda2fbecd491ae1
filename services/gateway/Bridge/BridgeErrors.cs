using Millrace.Primitives;

namespace Millrace.Gateway.Bridge;

/// <summary>Errors of bridges; each has a page of its code under docs/errors.</summary>
public static class BridgeErrors
{
    public static readonly ErrorDefinition Invalid = new("GW-0101",
        "A bridge's configuration is not valid.",
        "The bridge could not do what it says.",
        "Change the value under the key that is named; docs/bridge.md explains each.");

    public static readonly ErrorDefinition FileUnusable = new("GW-0102",
        "A file of a bridge cannot be used.",
        "It is missing, cannot be read, is not PEM, or the key does not belong to the certificate.",
        "Mend the file that is named; it is read again at the next connect.");

    public static readonly ErrorDefinition Refused = new("GW-0103",
        "The broker refused the bridge.",
        "It did not take the connection, a subscription or a publish, or does not do what the bridge needs.",
        "Look at the bridge's credentials and at the broker's access list; the bridge tries again by itself.");

    public static readonly ErrorDefinition Lost = new("GW-0104",
        "The bridge has no connection to its broker.",
        "The broker cannot be reached, or ended the connection.",
        "Look at the broker and at the network; the bridge connects again by itself and nothing acknowledged is lost.");

    public static readonly ErrorDefinition Unmappable = new("GW-0105",
        "A bridged message cannot be mapped.",
        "Its topic or body does not have what the subscription's templates ask for.",
        "Change the subscription's templates, or what is published.");

    public static readonly ErrorDefinition Unsendable = new("GW-0106",
        "A record cannot be sent to the bridge's broker.",
        "It does not have what the output's topic asks for, or the broker refused this message for good.",
        "Change the output's topic, or the broker's limits.");

    public static readonly ErrorDefinition SessionFailed = new("GW-0107",
        "A bridge's session cannot be saved.",
        "The store refused it; messages with QoS 2 are not released until it is saved.",
        "See the store's own error; the bridge goes on by itself.");

    public static readonly ErrorDefinition LogFailed = new("GW-0108",
        "The event log refused bridged messages.",
        "They were not acknowledged to the broker; the connection was ended so that it sends them again.",
        "See the log's own error; the bridge connects again by itself.");

    public static readonly ErrorDefinition ReplayFailed = new("GW-0109",
        "A bridge cannot replay dead letters at the moment.",
        "The store or the event log failed; what was asked for stays asked for.",
        "See their own errors; the bridge tries again by itself.");

    public static readonly ErrorDefinition ReplayRefused = new("GW-0110",
        "A bridge's dead letter cannot be replayed.",
        "The bridge as it is configured now cannot map the message, or send the record, either.",
        "Change what the reason names, start the gateway again, and replay the letter once more.");
}
