using System.ComponentModel.DataAnnotations;
using Millrace.Gateway.Bridge;
using Millrace.Gateway.Limits;
using Millrace.Gateway.Listeners;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.Topics;
using Millrace.Primitives;

namespace Millrace.Gateway;

/// <summary>The gateway and its limits; section Gateway.</summary>
public sealed class GatewayOptions
{
    /// <summary>MQTT without encryption.</summary>
    public PlainListenerOptions Mqtt { get; set; } = new();

    /// <summary>MQTT over TLS.</summary>
    public TlsListenerOptions Mqtts { get; set; } = new();

    /// <summary>MQTT over WebSocket without encryption, on /mqtt and /$iothub/websocket.</summary>
    public PlainListenerOptions WebSocket { get; set; } = new() { Enabled = false, Port = 8083 };

    /// <summary>
    /// The same over TLS. Without a certificate of its own it has that of <see cref="Mqtts"/>.
    /// </summary>
    public TlsListenerOptions WebSocketTls { get; set; } = new() { Enabled = false, Port = 8084 };

    /// <summary>Sessions that outlive their connections, and what waits in them.</summary>
    public SessionOptions Sessions { get; set; } = new();

    /// <summary>
    /// The host names under which devices know this hub; a SAS token must name one of them. Without any: localhost,
    /// 127.0.0.1 and millrace.
    /// </summary>
    public List<string> HubNames { get; set; } = [];

    /// <summary>Connections at a time; more are closed as soon as they are accepted.</summary>
    [Range(1, 10_000_000)]
    public int ConnectionsMax { get; set; } = 100_000;

    /// <summary>The largest packet from a device: 256 KiB of body, and room for topic and properties.</summary>
    public ByteSize PacketBytesMax { get; set; } = ByteSize.FromKiB(256 + 64);

    /// <summary>The largest CONNECT, which is taken from anyone: client id, will and credentials.</summary>
    public ByteSize ConnectPacketBytesMax { get; set; } = ByteSize.FromKiB(64);

    /// <summary>The longest client id, in bytes of UTF-8.</summary>
    [Range(23, 65_535)]
    public int ClientIdBytesMax { get; set; } = 256;

    /// <summary>
    /// QoS 1 and 2 publishes of a connection that wait for their acknowledgement: MQTT 5's receive maximum.
    /// </summary>
    [Range(1, 65_535)]
    public int InFlightMax { get; set; } = 256;

    /// <summary>Bytes of a partition that wait for the log; beyond them, sockets are not read.</summary>
    public ByteSize PartitionBufferBytesMax { get; set; } = ByteSize.FromMiB(4);

    /// <summary>
    /// How long messages of QoS 0 wait for others of their partition, to share a write to the log; 0 writes at once.
    /// </summary>
    public TimeSpan LingerMax { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>So many bytes of a partition do not wait for others.</summary>
    public ByteSize LingerBytesMax { get; set; } = ByteSize.FromKiB(64);

    /// <summary>
    /// Bytes of a connection that are read ahead while it waits; the server's HTTP listeners have the same.
    /// </summary>
    public ByteSize ReadBufferBytesMax { get; set; } = ByteSize.FromKiB(128);

    /// <summary>The greatest topic alias of MQTT 5; 0 means that aliases are refused.</summary>
    [Range(0, 65_535)]
    public int TopicAliasMax { get; set; } = 16;

    /// <summary>Application properties of one message, user properties of MQTT 5 included.</summary>
    [Range(0, 10_000)]
    public int PropertiesMax { get; set; } = 256;

    /// <summary>
    /// How long a new connection may take to send its CONNECT and to be authenticated; and, before, to become a
    /// WebSocket.
    /// </summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest keep-alive, whole seconds; 0 means no limit, and lets a client do without.</summary>
    public TimeSpan KeepAliveMax { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a connection that is being closed may take to read its last words.</summary>
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long, at shutdown, publishes in flight may take to become durable and be acknowledged.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Identities kept in memory.</summary>
    [Range(2, 10_000_000)]
    public int IdentityCacheMax { get; set; } = 100_000;

    /// <summary>
    /// How often the credentials of connected devices are looked up again, in case a notice of a change was lost.
    /// </summary>
    public TimeSpan IdentityRecheckInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Connects and disconnects that wait for the log; beyond them, connecting and closing wait.</summary>
    [Range(1, 1_000_000)]
    public int LifecycleQueueMax { get; set; } = 10_000;

    /// <summary>How much the hub and each of its devices may bring.</summary>
    public LimitOptions Limits { get; set; } = new();

    /// <summary>What free topics mean, first match first.</summary>
    public List<TopicMappingOptions> TopicMappings { get; set; } = [];

    /// <summary>Devices that may publish for others, where a topic mapping names a device.</summary>
    public List<string> TrustedDevices { get; set; } = [];

    /// <summary>Bridges to other brokers.</summary>
    public List<BridgeOptions> Bridges { get; set; } = [];

    /// <summary>
    /// Results of topic mappings that a connection remembers, or a bridge; and topics that it remembers as refused, of
    /// each partition that it sends.
    /// </summary>
    [Range(1, 65_536)]
    public int TopicCacheMax { get; set; } = 256;
}
