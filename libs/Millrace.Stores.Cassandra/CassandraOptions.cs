using System.ComponentModel.DataAnnotations;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra;

/// <summary>The stores on a Cassandra cluster, for Stores:Kind = Cassandra. Section Cassandra.</summary>
public sealed class CassandraOptions
{
    /// <summary>
    /// Some nodes as names or addresses, with commas between them, each with a port of its own or without; the others
    /// are found through these.
    /// </summary>
    public string ContactPoints { get; set; } = "";

    /// <summary>The port of nodes that name none.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 9042;

    /// <summary>The data centre whose nodes are used; unset, that of the first node that answers.</summary>
    public string? LocalDatacenter { get; set; }

    /// <summary>The rack whose replicas are asked first; unset, all of the data centre alike.</summary>
    public string? LocalRack { get; set; }

    /// <summary>Where the hub's tables are; a missing one is made. Hubs that share a cluster have one each.</summary>
    [RegularExpression("[a-z][a-z0-9_]{0,47}")]
    public string Keyspace { get; set; } = "millrace";

    /// <summary>Copies of each row in every data centre, for a keyspace that is made.</summary>
    [Range(1, 15)]
    public int ReplicationFactor { get; set; } = 3;

    /// <summary>Copies in each of these data centres and in no other, instead of ReplicationFactor.</summary>
    public Dictionary<string, int> Replication { get; set; } = [];

    /// <summary>How many copies must answer a read or a write.</summary>
    public Consistency Consistency { get; set; } = Consistency.LocalQuorum;

    /// <summary>How long a request may take, its tries included.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(12);

    /// <summary>Connections to each node.</summary>
    [Range(1, 64)]
    public int ConnectionsPerNode { get; set; } = 1;

    /// <summary>How often Cassandra is asked when the hub's tables were repaired.</summary>
    public TimeSpan RepairCheckInterval { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Encryption, and how this process shows who it is.</summary>
    public CassandraSecurityOptions Security { get; set; } = new();

    /// <summary>How telemetry lies in the cluster, and how it is written.</summary>
    public CassandraTelemetryOptions Telemetry { get; set; } = new();

    internal IReadOnlyList<string> Points =>
        ContactPoints.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>Encryption and login; section Cassandra:Security.</summary>
public sealed class CassandraSecurityOptions
{
    /// <summary>Whether connections to nodes are encrypted (TLS), and the nodes' certificates checked.</summary>
    public bool Tls { get; set; }

    /// <summary>
    /// The certificates of the authorities that may have signed the nodes', in PEM; unset, the system's.
    /// </summary>
    public string? CaFile { get; set; }

    /// <summary>The name that the nodes' certificates are for; unset, each is for its node's address.</summary>
    public string? ServerName { get; set; }

    /// <summary>This process's certificate in PEM, where the nodes ask for one.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>The key of <see cref="CertificateFile"/> in PEM.</summary>
    public string? KeyFile { get; set; }

    /// <summary>The name to log in with.</summary>
    public string? UserName { get; set; }

    /// <summary>A file that holds the password; a line's end at its end does not count.</summary>
    public string? PasswordFile { get; set; }
}
