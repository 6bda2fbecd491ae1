using Microsoft.Extensions.Options;
using Millrace.Primitives;

namespace Millrace.EventLog.Kafka.Tests;

public class KafkaLogOptionsValidatorTests
{
    [Test]
    public void What_is_not_chosen_is_not_looked_at() =>
        Assert.That(Failures(new KafkaLogOptions(), EventLogKind.Local), Is.Empty);

    [Test]
    public void Brokers_are_enough() =>
        Assert.That(Failures(new KafkaLogOptions { BootstrapServers = "a:1" }), Is.Empty);

    [Test]
    public void Everything_that_is_wrong_is_told_with_its_key()
    {
        var failures = Failures(new KafkaLogOptions
        {
            Prefix = "__hub",
            RequestTimeout = TimeSpan.Zero,
            Topics = { ReplicationFactor = 1 },
            Producer = { Linger = TimeSpan.FromMilliseconds(6), RecordBytesMax = ByteSize.FromMiB(17) },
            Consumer = { SessionTimeout = TimeSpan.FromSeconds(1) },
            Security = { CaFile = "/nowhere/ca.pem", Sasl = KafkaSaslMechanism.Plain },
        });

        string[] keys =
        [
            "BootstrapServers", "Prefix", "RequestTimeout", "Topics:InSyncReplicasMin", "Producer:Linger",
            "Producer:RecordBytesMax", "Consumer:SessionTimeout", "Security:CaFile", "Security:Tls", "Security:Sasl",
        ];
        foreach (var key in keys)
            Assert.That(failures, Has.Some.StartsWith($"EventLog:Kafka:{key} "), string.Join('\n', failures));
    }

    [Test]
    public void A_password_never_travels_in_the_clear()
    {
        var failures = Failures(new KafkaLogOptions
        {
            BootstrapServers = "a:1",
            Security =
            {
                Sasl = KafkaSaslMechanism.Plain, UserName = "u", PasswordFile = typeof(string).Assembly.Location,
            },
        });
        Assert.That(failures, Has.Count.EqualTo(1).And.Some.Contains("shows the password"));
    }

    private static List<string> Failures(KafkaLogOptions options, EventLogKind kind = EventLogKind.Kafka) =>
        [.. new KafkaLogOptionsValidator(Options.Create(new EventLogOptions { Kind = kind }))
            .Validate(null, options).Failures ?? []];
}
