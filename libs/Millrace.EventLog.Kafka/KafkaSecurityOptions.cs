namespace Millrace.EventLog.Kafka;

/// <summary>How a client shows who it is.</summary>
public enum KafkaSaslMechanism
{
    /// <summary>Not at all, or by its certificate.</summary>
    None,

    /// <summary>Name and password as they are; use it over TLS only.</summary>
    Plain,

    /// <summary>Name and password by SCRAM with SHA-256.</summary>
    ScramSha256,

    /// <summary>Name and password by SCRAM with SHA-512.</summary>
    ScramSha512,
}

/// <summary>Encryption and login; section EventLog:Kafka:Security.</summary>
public sealed class KafkaSecurityOptions
{
    /// <summary>Whether connections to brokers are encrypted (TLS), and the brokers' certificates checked.</summary>
    public bool Tls { get; set; }

    /// <summary>The certificates of the authorities that may have signed the brokers', in PEM; without it, the
    /// system's.</summary>
    public string? CaFile { get; set; }

    /// <summary>This process's certificate in PEM, where the brokers ask for one.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>The key of <see cref="CertificateFile"/> in PEM.</summary>
    public string? KeyFile { get; set; }

    /// <summary>How this process logs in: None, Plain, ScramSha256 or ScramSha512.</summary>
    public KafkaSaslMechanism Sasl { get; set; }

    /// <summary>The name to log in with.</summary>
    public string? UserName { get; set; }

    /// <summary>A file that holds the password; a line's end at its end does not count.</summary>
    public string? PasswordFile { get; set; }
}
