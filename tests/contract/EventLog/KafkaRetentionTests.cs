using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.EventLog.Retention;
using Millrace.Hosting.Node;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>The platform's own retention, over a cluster that keeps everything.</summary>
public sealed class KafkaRetentionTests : KafkaTest
{
    private static readonly TopicPartition Telemetry = new("telemetry", 1);

    [Test]
    public async Task Old_telemetry_goes_when_the_warm_writer_and_the_archiver_have_it()
    {
        var log = await OpenAsync("telemetry");
        await AppendAsync(log, Telemetry, "a", "b", "c", "d");
        await TrimAsync(log);
        Assert.That((await log.RangeAsync(Telemetry)).First, Is.Zero, "nobody has it");

        await log.CommitAsync(ConsumerGroups.WarmWriter, Telemetry, 3);
        await log.CommitAsync(ConsumerGroups.Archiver, Telemetry, 2);
        await log.DisposeAsync();
        log = await OpenAsync("telemetry");
        await TrimAsync(log);

        Assert.That(await log.RangeAsync(Telemetry), Is.EqualTo(new OffsetRange(2, 4)));
    }

    [Test]
    public async Task Topics_of_others_are_not_trimmed()
    {
        var log = await OpenAsync("telemetry");
        Options.Prefix = "";
        var whole = Open();
        await whole.EnsureTopicAsync(new TopicSpec("out.mine" + Guid.NewGuid().ToString("N"), 1));

        var own = ((IRetainedLog)whole).OwnTopics;

        Assert.That(whole.Topics, Has.Some.EndsWith(".telemetry"));
        Assert.That(own, Has.Some.StartsWith("out.mine").And.None.EndsWith(".telemetry"));
        Options.Prefix = own.First(topic => topic.StartsWith("out.mine", StringComparison.Ordinal));
        await log.DisposeAsync();
    }

    [Test]
    public async Task Topics_of_a_hub_whose_prefix_begins_alike_are_not_trimmed()
    {
        var hub = await OpenAsync("telemetry");
        var prefix = Options.Prefix;
        Options.Prefix += "0";
        await OpenAsync("alerts", 1);
        Options.Prefix = prefix;
        await TestKit.Eventually.TrueAsync(() => hub.FindTopic("0alerts") is not null, "it is seen", Patience);

        Assert.That(((IRetainedLog)hub).OwnTopics, Is.EqualTo(new[] { "telemetry" }));
    }

    private static async Task TrimAsync(KafkaLog log)
    {
        using var retention = new LogRetention(
            log, new Housekeeping(), Microsoft.Extensions.Options.Options.Create(new RetentionOptions()),
            TimeProvider.System, NullLogger<LogRetention>.Instance);
        await retention.TrimAllAsync(default);
    }
}
