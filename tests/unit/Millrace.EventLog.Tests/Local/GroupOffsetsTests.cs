using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.EventLog.Tests.Disk;

namespace Millrace.EventLog.Tests.Local;

public class GroupOffsetsTests
{
    [Test]
    public async Task The_journal_stays_small_and_keeps_the_last_commit_of_each_group()
    {
        var disk = new ForgetfulDisk(new Random(1));
        var partitions = Enumerable.Range(0, 4).Select(number => new TopicPartition("telemetry", number)).ToArray();
        var metadata = new string('m', 2_000);
        await using (var log = await OpenAsync(disk))
        {
            await log.CommitAsync("idle", partitions[0], 5, "once");
            for (var round = 0; round < 200; round++)
            {
                // Several at a time, so that some fall between a summary and what it repeats.
                await Task.WhenAll(partitions.SelectMany(partition => new[] { "a", "b" }.Select(
                    group => log.CommitAsync(group, partition, round, metadata).AsTask())));
            }

            await log.ForgetGroupAsync("b");
        }

        var bytes = disk.Files("/log/groups").Sum(name => disk.LengthOf($"/log/groups/{name}"));
        Assert.That(bytes, Is.LessThan(1_500_000), "of 3 million that were committed");

        await using var again = await OpenAsync(disk.AfterPowerLoss());
        Assert.That(await again.CommittedAsync("idle", partitions[0]), Is.EqualTo(new CommittedOffset(5, "once")));
        foreach (var partition in partitions)
        {
            Assert.That(await again.CommittedAsync("a", partition), Is.EqualTo(new CommittedOffset(199, metadata)));
            Assert.That(await again.CommittedAsync("b", partition), Is.Null);
        }
    }

    private static async Task<LocalLog> OpenAsync(ForgetfulDisk disk)
    {
        var log = LocalLog.Open(disk, "/log", new EventLogOptions { FreeBytesMin = default }, TimeProvider.System,
            NullLogger.Instance);
        await log.EnsureTopicAsync(new TopicSpec("telemetry", 4));
        return log;
    }
}
