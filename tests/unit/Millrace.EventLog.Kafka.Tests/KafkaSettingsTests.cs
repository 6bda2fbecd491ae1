using Millrace.TestKit;

namespace Millrace.EventLog.Kafka.Tests;

public class KafkaSettingsTests
{
    [Test]
    public void Nothing_is_written_twice_or_acknowledged_early()
    {
        var settings = KafkaSettings.Producer(new KafkaLogOptions { BootstrapServers = "a:1" });

        Assert.That(settings["enable.idempotence"], Is.EqualTo("true"));
        Assert.That(settings["acks"], Is.EqualTo("all"));
        Assert.That(settings["message.timeout.ms"], Is.EqualTo("0"), "nothing is given up");
        Assert.That(settings["compression.codec"], Is.EqualTo("lz4"));
        Assert.That(settings["linger.ms"], Is.EqualTo("0.1"));
    }

    [Test]
    public void Readers_see_what_is_committed_and_never_jump()
    {
        var settings = KafkaSettings.Reader(new KafkaLogOptions());

        Assert.That(settings["isolation.level"], Is.EqualTo("read_committed"));
        Assert.That(settings["auto.offset.reset"], Is.EqualTo("error"));
        Assert.That(settings["enable.auto.commit"], Is.EqualTo("false"));
    }

    [TestCase(false, KafkaSaslMechanism.None, "plaintext")]
    [TestCase(true, KafkaSaslMechanism.None, "ssl")]
    [TestCase(false, KafkaSaslMechanism.ScramSha256, "sasl_plaintext")]
    [TestCase(true, KafkaSaslMechanism.Plain, "sasl_ssl")]
    public void Encryption_and_login_choose_the_protocol(bool tls, KafkaSaslMechanism sasl, string expected) =>
        Assert.That(KafkaSettings.Common(new KafkaLogOptions { Security = { Tls = tls, Sasl = sasl } })
            ["security.protocol"], Is.EqualTo(expected));

    [Test]
    public void Names_files_and_password_reach_the_client()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.Sub("password"), "secret \n");
        var settings = KafkaSettings.Common(new KafkaLogOptions
        {
            Security =
            {
                Tls = true, CaFile = "ca.pem", CertificateFile = "me.pem", KeyFile = "me.key",
                Sasl = KafkaSaslMechanism.ScramSha512, UserName = "millrace", PasswordFile = folder.Sub("password"),
            },
        });

        Assert.That(settings["ssl.ca.location"], Is.EqualTo("ca.pem"));
        Assert.That(settings["ssl.certificate.location"], Is.EqualTo("me.pem"));
        Assert.That(settings["ssl.key.location"], Is.EqualTo("me.key"));
        Assert.That(settings["sasl.mechanism"], Is.EqualTo("SCRAM-SHA-512"));
        Assert.That(settings["sasl.username"], Is.EqualTo("millrace"));
        Assert.That(settings["sasl.password"], Is.EqualTo("secret "));
    }

    [Test]
    public void Members_keep_what_they_have_and_come_back_to_it()
    {
        var options = new KafkaLogOptions { Consumer = { InstanceId = "pod-0" } };
        var settings = KafkaSettings.Member(options, "group", "telemetry");

        Assert.That(settings["partition.assignment.strategy"], Is.EqualTo("cooperative-sticky"));
        Assert.That(settings["group.instance.id"], Is.EqualTo("pod-0.telemetry"));
        Assert.That(TimeSpan.FromMilliseconds(int.Parse(settings["max.poll.interval.ms"])),
            Is.GreaterThan(options.Consumer.RevocationTimeout));
    }
}
