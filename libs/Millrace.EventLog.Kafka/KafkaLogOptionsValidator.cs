using Microsoft.Extensions.Options;
using Millrace.Primitives;

namespace Millrace.EventLog.Kafka;

/// <summary>Checks what attributes cannot say, when the log is on Kafka.</summary>
internal sealed class KafkaLogOptionsValidator(IOptions<EventLogOptions> log) : IValidateOptions<KafkaLogOptions>
{
    private const string Section = "EventLog:Kafka";

    public ValidateOptionsResult Validate(string? name, KafkaLogOptions options)
    {
        if (log.Value.Kind != EventLogKind.Kafka) return ValidateOptionsResult.Success;
        List<string> failures =
        [
            .. General(options), .. Producer(options.Producer, log.Value), .. Consumer(options.Consumer),
            .. Security(options.Security),
        ];
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> General(KafkaLogOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.BootstrapServers))
            yield return $"{Section}:{nameof(options.BootstrapServers)} is missing; name some brokers as host:port.";
        if (options.Prefix.StartsWith("__", StringComparison.Ordinal))
            yield return $"{Section}:{nameof(options.Prefix)} is '{options.Prefix}'; "
                + "what begins with two underscores is Kafka's own.";
        if (options.Topics.InSyncReplicasMin > options.Topics.ReplicationFactor)
            yield return $"{Section}:Topics:{nameof(options.Topics.InSyncReplicasMin)} is more than "
                + $"{nameof(options.Topics.ReplicationFactor)}, {options.Topics.ReplicationFactor}.";
        (string Key, TimeSpan Value)[] times =
        [
            (nameof(options.RequestTimeout), options.RequestTimeout),
            (nameof(options.MetadataInterval), options.MetadataInterval),
            (nameof(options.DrainTimeout), options.DrainTimeout),
        ];
        foreach (var (key, value) in times)
        {
            if (value < TimeSpan.FromMilliseconds(100) || value > TimeSpan.FromMinutes(5))
                yield return $"{Section}:{key} is {value}; choose from 100ms to 5m.";
        }
    }

    private static IEnumerable<string> Producer(KafkaProducerOptions options, EventLogOptions log)
    {
        if (options.Linger < TimeSpan.Zero || options.Linger > TimeSpan.FromMilliseconds(5))
            yield return $"{Section}:Producer:{nameof(options.Linger)} is {options.Linger}; choose from 0ms to 5ms.";
        if (Outside(options.QueueBytesMax, ByteSize.FromMiB(1), ByteSize.FromGiB(64)) is { } queue)
            yield return $"{Section}:Producer:{nameof(options.QueueBytesMax)} {queue}";
        if (Outside(options.RecordBytesMax, ByteSize.FromKiB(64), log.AppendBytesMax) is { } record)
            yield return $"{Section}:Producer:{nameof(options.RecordBytesMax)} {record}";
    }

    private static IEnumerable<string> Consumer(KafkaConsumerOptions options)
    {
        if (Outside(options.ReadAheadBytesMax, ByteSize.FromKiB(64), ByteSize.FromGiB(1)) is { } ahead)
            yield return $"{Section}:Consumer:{nameof(options.ReadAheadBytesMax)} {ahead}";
        if (Outside(options.SharedBytesMax, ByteSize.FromKiB(64), ByteSize.FromGiB(1)) is { } shared)
            yield return $"{Section}:Consumer:{nameof(options.SharedBytesMax)} {shared}";
        if (options.SessionTimeout < TimeSpan.FromSeconds(6) || options.SessionTimeout > TimeSpan.FromMinutes(30))
            yield return $"{Section}:Consumer:{nameof(options.SessionTimeout)} is {options.SessionTimeout}; choose "
                + "from 6s to 30m.";
        if (options.RevocationTimeout <= TimeSpan.Zero || options.RevocationTimeout > TimeSpan.FromHours(1))
            yield return $"{Section}:Consumer:{nameof(options.RevocationTimeout)} is {options.RevocationTimeout}; "
                + "choose up to 1h.";
        if (options.LagInterval < TimeSpan.FromSeconds(1))
            yield return $"{Section}:Consumer:{nameof(options.LagInterval)} is {options.LagInterval}; make it 1s "
                + "or more.";
    }

    private static IEnumerable<string> Security(KafkaSecurityOptions options)
    {
        (string Key, string? Path)[] files =
        [
            (nameof(options.CaFile), options.CaFile), (nameof(options.CertificateFile), options.CertificateFile),
            (nameof(options.KeyFile), options.KeyFile), (nameof(options.PasswordFile), options.PasswordFile),
        ];
        foreach (var (key, path) in files.Where(file => file.Path is not null && !File.Exists(file.Path)))
            yield return $"{Section}:Security:{key} is '{path}', which is no file.";
        if (!options.Tls && (options.CaFile ?? options.CertificateFile ?? options.KeyFile) is not null)
            yield return $"{Section}:Security:{nameof(options.Tls)} is false, so that certificates mean nothing.";
        if (options.CertificateFile is null != options.KeyFile is null)
            yield return $"{Section}:Security:{nameof(options.CertificateFile)} and "
                + $"{nameof(options.KeyFile)} go together.";
        if (options.Sasl == KafkaSaslMechanism.None) yield break;
        if (options.UserName is null || options.PasswordFile is null)
            yield return $"{Section}:Security:{nameof(options.Sasl)} asks for {nameof(options.UserName)} and "
                + $"{nameof(options.PasswordFile)}.";
        if (options.Sasl == KafkaSaslMechanism.Plain && !options.Tls)
            yield return $"{Section}:Security:{nameof(options.Sasl)} is Plain, which shows the password to everyone; "
                + $"set {nameof(options.Tls)}, or choose ScramSha512.";
    }

    private static string? Outside(ByteSize value, ByteSize least, ByteSize most) =>
        value.CompareTo(least) < 0 || value.CompareTo(most) > 0
            ? $"is {value}; choose from {least} to {most}."
            : null;
}
