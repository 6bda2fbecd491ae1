using Millrace.Mqtt;
using Millrace.Primitives;

namespace Millrace.Gateway.Bridge;

/// <summary>A bridge to one other broker; an element of Gateway:Bridges.</summary>
public sealed class BridgeOptions
{
    /// <summary>Its name: letters, digits, dots, dashes and underscores. Telemetry carries it.</summary>
    public string Name { get; set; } = "";

    /// <summary>The broker's host name or address.</summary>
    public string Host { get; set; } = "";

    /// <summary>0: 8883 with TLS, else 1883.</summary>
    public int Port { get; set; }

    /// <summary>V5 or V311.</summary>
    public MqttVersion Version { get; set; } = MqttVersion.V5;

    public BridgeTlsOptions Tls { get; set; } = new();

    /// <summary>Empty: none is sent.</summary>
    public string UserName { get; set; } = "";

    /// <summary>The password; better in a file.</summary>
    public string Password { get; set; } = "";

    /// <summary>A file that holds the password; a line end at its end does not count. Read at each connect.</summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>
    /// Under which the broker keeps the session. Each gateway needs one of its own, and the same after a restart;
    /// empty: <c>millrace-{name}-{host name}</c>.
    /// </summary>
    public string ClientId { get; set; } = "";

    /// <summary>True: the broker forgets the session at each connect, and with it what came meanwhile.</summary>
    public bool CleanStart { get; set; }

    /// <summary>How long the broker keeps the session of a gateway that is away. MQTT 5 only.</summary>
    public TimeSpan SessionExpiry { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Gateways with the same group share the subscriptions: each message goes to one of them.</summary>
    public string SharedGroup { get; set; } = "";

    /// <summary>
    /// How often the broker hears something of an idle bridge, and a dead connection is noticed, unless a broker of
    /// MQTT 5 says how often.
    /// </summary>
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long connecting, and what follows it, may take.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The pause before the first new attempt to connect; each further one is twice as long.</summary>
    public TimeSpan ReconnectDelayMin { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause between attempts to connect.</summary>
    public TimeSpan ReconnectDelayMax { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Messages from the broker that wait for the event log: MQTT 5's receive maximum.</summary>
    public int InFlightMax { get; set; } = 256;

    /// <summary>
    /// Records that wait for the broker's acknowledgement, for each partition that goes out; all together no more than
    /// the broker's receive maximum.
    /// </summary>
    public int SendInFlightMax { get; set; } = 64;

    /// <summary>
    /// How often, <c>ReconnectDelayMax</c> apart, a topic is tried that the broker does not let the bridge publish to;
    /// then what goes there is dead-lettered. MQTT 5 only.
    /// </summary>
    public int RefusedTriesMax { get; set; } = 3;

    /// <summary>The largest packet from the broker; MQTT 5 brokers are told and keep larger ones back.</summary>
    public ByteSize PacketBytesMax { get; set; } = ByteSize.FromKiB(256 + 64);

    /// <summary>Messages that are read on while the event log takes none; beyond them the socket is not read.</summary>
    public ByteSize BacklogBytesMax { get; set; } = ByteSize.FromMiB(1);

    /// <summary>What comes from the broker, first match first.</summary>
    public List<BridgeSubscriptionOptions> Subscriptions { get; set; } = [];

    /// <summary>What goes to the broker.</summary>
    public List<BridgeOutputOptions> Outputs { get; set; } = [];

    internal int PortOrDefault => Port != 0 ? Port : Tls.Enabled ? 8883 : 1883;

    internal string ClientIdOrDefault => ClientId.Length > 0 ? ClientId : $"millrace-{Name}-{Environment.MachineName}";

    internal string Broker => $"{(Tls.Enabled ? "mqtts" : "mqtt")}://{Host}:{PortOrDefault}";
}

/// <summary>TLS to the broker. Files are PEM and read at each connect, so that they may be renewed.</summary>
public sealed class BridgeTlsOptions
{
    public bool Enabled { get; set; }

    /// <summary>The only roots that are trusted; empty: the system's.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>The client certificate; empty: none is shown.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>The client certificate's private key.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>The name that the broker's certificate must have; empty: the host.</summary>
    public string ServerName { get; set; } = "";
}

/// <summary>
/// A subscription, and what its messages mean. Templates take <c>{level}</c> from the topic and <c>{$.a.b}</c> from a
/// JSON body.
/// </summary>
public sealed class BridgeSubscriptionOptions
{
    /// <summary>
    /// A topic filter in which a level may have a name: <c>plant/{line}/{machine}/data</c> subscribes to
    /// <c>plant/+/+/data</c>. <c>+</c> and a last <c>#</c> are levels without a name.
    /// </summary>
    public string Topic { get; set; } = "";

    /// <summary>0, 1 or 2.</summary>
    public int Qos { get; set; } = 1;

    /// <summary>The device's id, such as <c>{machine}</c> or <c>{line}-{$.sensor.id}</c>.</summary>
    public string DeviceId { get; set; } = "";

    /// <summary>The module's id; empty: none.</summary>
    public string ModuleId { get; set; } = "";

    /// <summary>Empty: what the message says.</summary>
    public string ContentType { get; set; } = "";

    /// <summary>Application properties: a name and its template.</summary>
    public Dictionary<string, string> Properties { get; set; } = [];

    /// <summary>The field that becomes the body, such as <c>$.payload</c>; empty: the message as it is.</summary>
    public string Body { get; set; } = "";
}

/// <summary>A topic of the event log that goes to the broker, at QoS 1.</summary>
public sealed class BridgeOutputOptions
{
    /// <summary>alerts, out.{name} or device-messages.</summary>
    public string From { get; set; } = "";

    /// <summary>
    /// The broker's topic: a template of <c>{key}</c> (the record's key, such as the device), <c>{$.a.b}</c> and, of a
    /// message for a device, <c>{topic}</c>: its own, below the device's.
    /// </summary>
    public string Topic { get; set; } = "";
}
