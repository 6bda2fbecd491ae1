using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.TestKit.Servers;
using TopicPartition = Millrace.Contracts.TopicPartition;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>TLS and logins, against a broker that asks for both.</summary>
public sealed class KafkaSecurityTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private SecureKafka _kafka = null!;

    [OneTimeSetUp]
    public async Task StartBroker()
    {
        var kafka = await SecureKafka.StartAsync(MakeUserAsync);
        if (kafka is null) Assert.Ignore("It edits a broker's files: set MILLRACE_ENGINES to a command.");
        _kafka = kafka!;
    }

    [OneTimeTearDown]
    public async Task EndBroker()
    {
        if (_kafka is not null) await _kafka.DisposeAsync();
    }

    [TestCase(KafkaSaslMechanism.ScramSha256)]
    [TestCase(KafkaSaslMechanism.ScramSha512)]
    [TestCase(KafkaSaslMechanism.Plain)]
    public Task A_process_that_shows_who_it_is_reads_and_writes_over_tls(KafkaSaslMechanism mechanism) =>
        ReadsAndWritesAsync(Options(mechanism), $"telemetry.{mechanism}");

    [Test]
    public Task A_process_with_a_certificate_of_its_own_reads_and_writes() =>
        ReadsAndWritesAsync(Certified(), "telemetry.certified");

    [Test]
    public async Task Without_its_certificate_it_gets_nowhere()
    {
        var options = Certified();
        (options.Security.CertificateFile, options.Security.KeyFile) = (null, null);
        await GetsNowhereAsync(options);
    }

    private static async Task ReadsAndWritesAsync(KafkaLogOptions options, string topic)
    {
        await using var log = new KafkaLog(options);
        await log.EnsureTopicAsync(new TopicSpec(topic, 1)).AsTask().WaitAsync(Patience);
        using var records = new Contracts.RecordBatchBuilder();
        records.Begin(1, "key"u8);
        records.End("body"u8);
        var partition = new TopicPartition(topic, 0);

        Assert.That(await log.AppendAsync(partition, records), Is.EqualTo(new OffsetRange(0, 1)));
        await log.CommitAsync("group", partition, 1, "text");
        Assert.That(await log.CommittedAsync("group", partition), Is.EqualTo(new CommittedOffset(1, "text")));
        await using var reader = log.OpenReader(partition, 0);
        Assert.That((await reader.ReadAsync()).Count, Is.EqualTo(1));
    }

    [Test]
    public async Task A_wrong_password_gets_nowhere()
    {
        var options = Options(KafkaSaslMechanism.ScramSha512);
        options.Security.UserName = "somebody";
        await GetsNowhereAsync(options);
    }

    [Test]
    public async Task A_broker_whose_certificate_nobody_vouches_for_is_not_talked_to()
    {
        var options = Options(KafkaSaslMechanism.ScramSha512);
        options.Security.CaFile = null;
        await GetsNowhereAsync(options);
    }

    private static async Task GetsNowhereAsync(KafkaLogOptions options)
    {
        await using var log = new KafkaLog(options);
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        Assert.That(async () => await log.EnsureTopicAsync(new TopicSpec("telemetry", 1), enough.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    private KafkaLogOptions Certified()
    {
        var options = Options(KafkaSaslMechanism.None);
        options.BootstrapServers = _kafka.CertifiedServers;
        (options.Security.CertificateFile, options.Security.KeyFile) = (_kafka.CertificateFile, _kafka.KeyFile);
        return options;
    }

    private KafkaLogOptions Options(KafkaSaslMechanism mechanism) => new()
    {
        BootstrapServers = _kafka.SecureServers,
        RequestTimeout = TimeSpan.FromSeconds(2),
        Topics = { ReplicationFactor = 1, InSyncReplicasMin = 1 },
        Security =
        {
            Tls = true,
            CaFile = _kafka.CaFile,
            Sasl = mechanism,
            UserName = SecureKafka.UserName,
            PasswordFile = _kafka.PasswordFile,
        },
    };

    private static async Task MakeUserAsync(string servers)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers }).Build();

        // A request has a user once.
        foreach (var mechanism in new[] { ScramMechanism.ScramSha256, ScramMechanism.ScramSha512 })
        {
            await admin.AlterUserScramCredentialsAsync([new UserScramCredentialUpsertion
            {
                User = SecureKafka.UserName,
                ScramCredentialInfo = new ScramCredentialInfo { Mechanism = mechanism, Iterations = 4096 },
                Password = System.Text.Encoding.UTF8.GetBytes(SecureKafka.Password),
                Salt = System.Text.Encoding.UTF8.GetBytes("some salt"),
            }]);
        }
    }
}
