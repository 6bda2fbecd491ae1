using System.Globalization;

namespace Millrace.EventLog.Kafka;

/// <summary>What the options are called in the client library.</summary>
internal static class KafkaSettings
{
    /// <summary>Cooperative members wait for the slowest of them: a little longer than work may take to end.</summary>
    private static readonly TimeSpan PollMargin = TimeSpan.FromMinutes(1);

    public static Dictionary<string, string> Common(KafkaLogOptions options)
    {
        var security = options.Security;
        var settings = new Dictionary<string, string>
        {
            ["bootstrap.servers"] = options.BootstrapServers,
            ["client.id"] = options.ClientId,
            ["socket.timeout.ms"] = Ms(options.RequestTimeout),
            ["socket.keepalive.enable"] = "true",
            // Small requests follow one another; together with acknowledgements that wait, each would wait too.
            ["socket.nagle.disable"] = "true",
            ["reconnect.backoff.max.ms"] = "2000",
            // A client that never reached a leader learns only so that there is a new one.
            ["topic.metadata.refresh.interval.ms"] = Ms(options.MetadataInterval),
            ["metadata.max.age.ms"] = Ms(options.MetadataInterval),
            ["security.protocol"] = (security.Tls, security.Sasl) switch
            {
                (false, KafkaSaslMechanism.None) => "plaintext",
                (true, KafkaSaslMechanism.None) => "ssl",
                (false, _) => "sasl_plaintext",
                (true, _) => "sasl_ssl",
            },
        };
        if (security.CaFile is { } ca) settings["ssl.ca.location"] = ca;
        if (security.CertificateFile is { } certificate) settings["ssl.certificate.location"] = certificate;
        if (security.KeyFile is { } key) settings["ssl.key.location"] = key;
        if (security.Sasl == KafkaSaslMechanism.None) return settings;
        settings["sasl.mechanism"] = security.Sasl switch
        {
            KafkaSaslMechanism.Plain => "PLAIN",
            KafkaSaslMechanism.ScramSha256 => "SCRAM-SHA-256",
            _ => "SCRAM-SHA-512",
        };
        settings["sasl.username"] = security.UserName ?? "";
        settings["sasl.password"] = security.PasswordFile is { } file ? File.ReadAllText(file).TrimEnd('\r', '\n') : "";
        return settings;
    }

    /// <summary>
    /// Only the library sends again, without end, and the brokers pass over what they have already: so nothing is
    /// written twice, and nothing is given up that may yet be written.
    /// </summary>
    public static Dictionary<string, string> Producer(KafkaLogOptions options)
    {
        var producer = options.Producer;
        return new Dictionary<string, string>(Common(options))
        {
            ["enable.idempotence"] = "true",
            ["acks"] = "all",
            ["message.timeout.ms"] = "0",
            ["request.timeout.ms"] = Ms(options.RequestTimeout),
            ["compression.codec"] = producer.Compression.ToString().ToLowerInvariant(),
            ["linger.ms"] = producer.Linger.TotalMilliseconds.ToString(CultureInfo.InvariantCulture),
            ["message.max.bytes"] = Text(producer.RecordBytesMax.Bytes),
            // The limits that count are ours, where an append can wait without a thread.
            ["queue.buffering.max.messages"] = "0",
            ["queue.buffering.max.kbytes"] = Text(int.MaxValue),
        };
    }

    /// <summary>
    /// Readers go by offset and never by group; records whose transaction is open or was given up are not seen.
    /// </summary>
    public static Dictionary<string, string> Reader(KafkaLogOptions options) => new(Common(options))
    {
        ["enable.auto.commit"] = "false",
        ["enable.auto.offset.store"] = "false",
        ["auto.offset.reset"] = "error",
        ["enable.partition.eof"] = "true",
        ["isolation.level"] = "read_committed",
        ["check.crcs"] = "true",
        ["queued.max.messages.kbytes"] = Text(Math.Max(1, options.Consumer.ReadAheadBytesMax.Bytes >> 10)),
        ["fetch.message.max.bytes"] = Text(Math.Clamp(options.Consumer.ReadAheadBytesMax.Bytes / 2, 1 << 16, 1 << 20)),
        // A reader that is opened waits so long for the requests that are under way.
        ["fetch.wait.max.ms"] = "200",
        ["fetch.queue.backoff.ms"] = "10",
        ["fetch.error.backoff.ms"] = "100",
    };

    /// <summary>
    /// A member of a group that shares partitions and reads nothing itself. It shows the cluster what was committed.
    /// </summary>
    public static Dictionary<string, string> Member(KafkaLogOptions options, string group, string topic)
    {
        var consumer = options.Consumer;
        var settings = new Dictionary<string, string>(Common(options))
        {
            ["group.id"] = group,
            ["partition.assignment.strategy"] = "cooperative-sticky",
            ["session.timeout.ms"] = Ms(consumer.SessionTimeout),
            ["heartbeat.interval.ms"] = Ms(consumer.SessionTimeout / 30),
            ["max.poll.interval.ms"] = Ms(Max(consumer.RevocationTimeout, consumer.SessionTimeout) + PollMargin),
            ["enable.auto.commit"] = "true",
            ["enable.auto.offset.store"] = "false",
            ["auto.offset.reset"] = "latest",
        };
        if (consumer.InstanceId is { } instance) settings["group.instance.id"] = $"{instance}.{topic}";
        return settings;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static string Ms(TimeSpan time) => Text((long)time.TotalMilliseconds);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
