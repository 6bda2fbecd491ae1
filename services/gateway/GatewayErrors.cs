using Millrace.Primitives;

namespace Millrace.Gateway;

/// <summary>Errors of the gateway; each has a page of its code under docs/errors.</summary>
public static class GatewayErrors
{
    public static readonly ErrorDefinition CertificateUnusable = new("GW-0001",
        "The gateway's certificate or key cannot be used.",
        "A file is missing, is not PEM, or the key does not belong to the certificate.",
        "Set Gateway:Mqtts:CertificateFile and KeyFile to a PEM certificate and its key, or switch the listener off.");

    public static readonly ErrorDefinition PlainNotLoopback = new("GW-0002",
        "Plain MQTT would listen on an address that others can reach.",
        "Keys and telemetry would travel in the clear.",
        "Use the TLS listener, a loopback address, or set Gateway:Mqtt:AllowPlainOnAnyAddress to true.");

    public static readonly ErrorDefinition AddressInvalid = new("GW-0003",
        "A listener's address is not valid.",
        "It is neither an IP address nor localhost.",
        "Write it like 127.0.0.1, 0.0.0.0, :: or localhost.");

    public static readonly ErrorDefinition TemplateInvalid = new("GW-0004",
        "A topic mapping's template is not valid.",
        "Its levels are text, a name in braces, or a last #; no name may stand twice.",
        "Write it like factory/{line}/{deviceId}/data.");

    public static readonly ErrorDefinition LoginRefused = new("GW-0005",
        "A device was refused.",
        "Its name, its credential or its status does not let it in; the device itself is not told which.",
        "See the reason in this line; docs/errors/GW-0005.md explains each.");

    public static readonly ErrorDefinition LogUnavailable = new("GW-0006",
        "Telemetry could not be appended to the event log.",
        "The log refused the records; the connections that had sent them were closed without an acknowledgement.",
        "See the log's own error; devices connect again and send again what was not acknowledged.");

    public static readonly ErrorDefinition PublishRefused = new("GW-0007",
        "A publish was refused.",
        "Its topic is not one that this device may use, or its properties are not valid.",
        "See the reason in this line; docs/mqtt.md lists the topics.");

    public static readonly ErrorDefinition SessionUnavailable = new("GW-0008",
        "A session could not be kept.",
        "The store of sessions failed; the connection was closed, and what was not acknowledged will be sent again.",
        "See the store's own error; devices connect again.");

    public static readonly ErrorDefinition LimitReached = new("GW-0020",
        "A limit was reached.",
        "A device, or all of them together, brought more than Gateway:Limits allows.",
        "See the reason in this line; docs/errors/GW-0020.md names the option of each.");
}
