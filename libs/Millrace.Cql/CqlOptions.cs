using System.Net;
using System.Net.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Millrace.Cql;

/// <summary>How bodies are compressed on the wire.</summary>
public enum CqlCompression
{
    None,
    Lz4,
}

/// <summary>How a <see cref="CqlSession"/> behaves. Read when it connects; later changes have no effect.</summary>
public sealed class CqlOptions
{
    /// <summary>
    /// Names or addresses of some nodes, each with a port of its own or without; the others are found.
    /// </summary>
    public IReadOnlyList<string> ContactPoints { get; set; } = ["127.0.0.1"];

    /// <summary>The port of nodes that name none.</summary>
    public int Port { get; set; } = 9042;

    /// <summary>The data centre whose nodes are used; unset, that of the first contact point that answers.</summary>
    public string? LocalDatacenter { get; set; }

    /// <summary>The rack whose replicas are asked first; unset, all replicas of the data centre alike.</summary>
    public string? LocalRack { get; set; }

    /// <summary>The keyspace of names that have none.</summary>
    public string? Keyspace { get; set; }

    /// <summary>The name to log in with, where nodes ask for one.</summary>
    public string? Username { get; set; }

    /// <summary>The password that goes with it.</summary>
    public string? Password { get; set; }

    /// <summary>Makes the TLS settings for a node; unset, connections are not encrypted.</summary>
    public Func<IPEndPoint, SslClientAuthenticationOptions>? Tls { get; set; }

    /// <summary>LZ4 saves network for large bodies, and costs CPU.</summary>
    public CqlCompression Compression { get; set; } = CqlCompression.None;

    /// <summary>The newest protocol to use: 5, or 4. A node that has only 4 is spoken to in 4.</summary>
    public int ProtocolVersionMax { get; set; } = 5;

    /// <summary>Connections to each node.</summary>
    public int ConnectionsPerNode { get; set; } = 1;

    /// <summary>Requests under way on a connection at a time; the protocol ends at 32768.</summary>
    public int StreamsMax { get; set; } = 32_768;

    /// <summary>
    /// Requests that timed out and were never answered, after which a connection is given up; half of
    /// <see cref="StreamsMax"/> are enough for that.
    /// </summary>
    public int OrphanedStreamsMax { get; set; } = 1_024;

    /// <summary>Bytes that wait to be sent on a connection, beyond which it takes no request.</summary>
    public int PendingBytesMax { get; set; } = 64 << 20;

    /// <summary>The longest response; a longer one ends the connection.</summary>
    public int ResponseBytesMax { get; set; } = 256 << 20;

    /// <summary>How many replicas must answer.</summary>
    public Consistency Consistency { get; set; } = Consistency.LocalQuorum;

    /// <summary>The serial phase of compare-and-set.</summary>
    public Consistency SerialConsistency { get; set; } = Consistency.LocalSerial;

    /// <summary>Rows a page.</summary>
    public int PageSize { get; set; } = 1_000;

    /// <summary>
    /// Whether statements that do not say are idempotent, so that they are sent again after a failure.
    /// </summary>
    public bool Idempotent { get; set; }

    /// <summary>How often a statement is sent again at most.</summary>
    public int RetriesMax { get; set; } = 2;

    /// <summary>How long to wait for the answer to a statement, all its tries included.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(12);

    /// <summary>How long a connection may take to be made, the login included.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// After how long without a word an idle connection is asked whether it lives; a busy one after a second.
    /// </summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long it may take to answer that.</summary>
    public TimeSpan HeartbeatTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>The first wait before a lost node is connected to again; it doubles with each failure.</summary>
    public TimeSpan ReconnectDelayMin { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait before a lost node is connected to again.</summary>
    public TimeSpan ReconnectDelayMax { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long to wait for the nodes to agree after a change of the schema.</summary>
    public TimeSpan SchemaAgreementTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the ring is read again, in case a notice of its change was lost.</summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Where time comes from.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Where messages go.</summary>
    public ILoggerFactory LoggerFactory { get; set; } = NullLoggerFactory.Instance;

    internal void Validate()
    {
        Require(ContactPoints.Count > 0, nameof(ContactPoints), "at least one");
        Require(Port is > 0 and <= IPEndPoint.MaxPort, nameof(Port), "1 to 65535");
        Require(ProtocolVersionMax is 4 or 5, nameof(ProtocolVersionMax), "4 or 5");
        Require(ConnectionsPerNode is > 0 and <= 64, nameof(ConnectionsPerNode), "1 to 64");
        Require(StreamsMax is > 0 and <= 32_768, nameof(StreamsMax), "1 to 32768");
        Require(OrphanedStreamsMax > 0, nameof(OrphanedStreamsMax), "1 or more");
        Require(PendingBytesMax >= 1 << 16, nameof(PendingBytesMax), "65536 or more");
        Require(ResponseBytesMax >= 1 << 16, nameof(ResponseBytesMax), "65536 or more");
        Require(PageSize > 0, nameof(PageSize), "1 or more");
        Require(RetriesMax >= 0, nameof(RetriesMax), "0 or more");
        Require(Username is null == Password is null, nameof(Password), "with Username, or neither");
        foreach (var (name, value) in Durations()) Require(value > TimeSpan.Zero, name, "longer than 0");
    }

    private IEnumerable<(string Name, TimeSpan Value)> Durations() =>
    [
        (nameof(RequestTimeout), RequestTimeout), (nameof(ConnectTimeout), ConnectTimeout),
        (nameof(HeartbeatInterval), HeartbeatInterval), (nameof(HeartbeatTimeout), HeartbeatTimeout),
        (nameof(ReconnectDelayMin), ReconnectDelayMin), (nameof(ReconnectDelayMax), ReconnectDelayMax),
        (nameof(SchemaAgreementTimeout), SchemaAgreementTimeout), (nameof(RefreshInterval), RefreshInterval),
    ];

    private static void Require(bool holds, string option, string range)
    {
        if (!holds) throw CqlErrors.OptionsInvalid.With(option, $"It must be {range}.").AsCql();
    }
}
