using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.EventLog.Tests.Disk;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.EventLog.Tests.Local;

/// <summary>The log on a disk that keeps only what was synced. A failure names its seed and call.</summary>
[Category("Samples")]
public class PowerLossTests
{
    private static readonly TopicPartition[] Partitions = [new("telemetry", 0), new("telemetry", 1), new("out.x", 0)];

    private static readonly EventLogOptions Small = new()
    {
        SegmentBytesMax = new ByteSize(700),
        IndexIntervalBytes = new ByteSize(200),
        FreeBytesMin = new ByteSize(0),
        WriterThreads = 2,
        WriteAheadBytes = new ByteSize(2_500),
        SharedBatchBytesMax = new ByteSize(400),
    };

    private static IEnumerable<int> EveryCallSeeds => Samples.Seeds(2);

    private static IEnumerable<int> SyncSeeds => Samples.Seeds(40);

    [Test]
    public async Task Nothing_acknowledged_is_lost_whatever_call_the_power_goes_at(
        [ValueSource(nameof(EveryCallSeeds))] int seed)
    {
        var calls = await CallsOfAsync(seed);
        Assert.That(calls, Is.GreaterThan(100));
        for (var crashAt = 1; crashAt <= calls; crashAt++)
        {
            var disk = new ForgetfulDisk(new Random(seed * 100_000 + crashAt)) { CrashAt = crashAt };
            var ledger = new Ledger();
            await WorkAsync(disk, ledger, new Random(seed));
            await VerifyAsync(disk.AfterPowerLoss(), ledger, $"seed {seed}, power lost at call {crashAt}");
        }
    }

    [Test]
    public async Task Power_may_go_and_processes_be_killed_again_and_again_also_while_the_log_opens(
        [Range(1, 200)] int seed)
    {
        var random = new Random(seed);
        var disk = new ForgetfulDisk(random);
        var ledger = new Ledger();
        for (var life = 0; life < 8; life++)
        {
            disk.CrashAt = random.Next(1, random.Next(3) == 0 ? 15 : 200);
            await WorkAsync(disk, ledger, random);
            disk = random.Next(2) == 0 ? disk.AfterPowerLoss() : disk.AfterKill();
            if (random.Next(2) == 0) await VerifyAsync(disk, ledger, $"seed {seed}, life {life}");
        }

        await VerifyAsync(disk.AfterPowerLoss(), ledger, $"seed {seed}, at the end");
    }

    [Test]
    public async Task A_failed_write_or_sync_is_never_acknowledged_and_never_comes_back([Range(1, 300)] int seed)
    {
        var (disk, ledger) = (new ForgetfulDisk(new Random(seed)), new Ledger());
        await WorkOnBadDiskAsync(disk, ledger, seed, async log =>
        {
            // One append to each, so that each has found its way back to a disk that works.
            disk.FaultAt = _ => Fault.None;
            foreach (var partition in Partitions) await ledger.AppendAsync(log, partition, 1, 5);
        });

        await VerifyAsync(disk.AfterPowerLoss(), ledger, $"seed {seed}", refusedAreGone: true);
    }

    [Test]
    public async Task A_log_that_ends_on_a_bad_disk_has_all_that_was_acknowledged([Range(1, 300)] int seed)
    {
        var (disk, ledger) = (new ForgetfulDisk(new Random(seed)), new Ledger());
        await WorkOnBadDiskAsync(disk, ledger, seed, _ => Task.CompletedTask);
        disk.FaultAt = _ => Fault.None;
        await using (var log = OpenOn(disk))
        {
            await ledger.VerifyAsync(log, $"seed {seed}, opened again");
            foreach (var partition in Partitions) await ledger.AppendAsync(log, partition, 1, 5);
        }

        await VerifyAsync(disk.AfterPowerLoss(), ledger, $"seed {seed}, after power loss");
    }

    /// <summary>
    /// The write-ahead log's thread and a partition's own sync the same file at times, and only one of them hears that
    /// the disk has failed it.
    /// </summary>
    [Test]
    public async Task A_sync_that_fails_for_one_thread_is_none_for_the_other([ValueSource(nameof(SyncSeeds))] int seed)
    {
        var (disk, ledger) = (new ForgetfulDisk(new Random(seed)) { IsSlow = true }, new Ledger());
        var (random, faults) = (new Random(-seed), new Random(seed * 31));
        await using (var log = OpenOn(disk)) await MakeTopicsAsync(log);
        disk.FailsIn = (path, isSync) => isSync && path.EndsWith(".log", StringComparison.Ordinal)
            && faults.Next(6) == 0;
        await WorkAsync(disk, ledger, random);
        disk.FailsIn = (_, _) => false;
        await VerifyAsync(disk, ledger, $"seed {seed}, opened again");
        await VerifyAsync(disk.AfterPowerLoss(), ledger, $"seed {seed}, after power loss");
    }

    private static async Task WorkOnBadDiskAsync(
        ForgetfulDisk disk, Ledger ledger, int seed, Func<LocalLog, Task> atTheEnd)
    {
        var (random, faults) = (new Random(-seed), new Random(seed * 31));
        await using (var log = OpenOn(disk)) await MakeTopicsAsync(log);

        // Faults begin when the log is open: one that cannot open has nothing to lose.
        var begin = disk.Calls + 30;
        disk.FaultAt = call => call < begin ? Fault.None : faults.Next(20) switch
        {
            0 => Fault.Error,
            1 => Fault.NoSpace,
            _ => Fault.None,
        };
        await WorkAsync(disk, ledger, random, atTheEnd);
    }

    private static async Task<int> CallsOfAsync(int seed)
    {
        var disk = new ForgetfulDisk(new Random(seed));
        await WorkAsync(disk, new Ledger(), new Random(seed));
        return disk.Calls;
    }

    /// <summary>Appends, commits and trims until it is done or the power goes.</summary>
    private static async Task WorkAsync(
        ForgetfulDisk disk, Ledger ledger, Random random, Func<LocalLog, Task>? atTheEnd = null)
    {
        LocalLog log;
        try
        {
            log = OpenOn(disk);
        }
        catch (IOException)
        {
            return;
        }

        await using (log)
        {
            await TriedAsync(() => MakeTopicsAsync(log));
            for (var step = 0; step < 40; step++)
            {
                var partition = Partitions[random.Next(Partitions.Length)];
                if (log.FindTopic(partition.Topic) is null) continue;
                await TriedAsync(() => StepAsync(disk, log, ledger, partition, random));
            }

            if (atTheEnd is not null) await atTheEnd(log);
        }
    }

    private static async Task MakeTopicsAsync(LocalLog log)
    {
        foreach (var topic in Partitions.GroupBy(partition => partition.Topic))
            await log.EnsureTopicAsync(new TopicSpec(topic.Key, topic.Count()));
    }

    private static async Task StepAsync(
        ForgetfulDisk disk, LocalLog log, Ledger ledger, TopicPartition partition, Random random)
    {
        var range = await log.RangeAsync(partition);
        switch (random.Next(10))
        {
            case 0:
                await ledger.TrimAsync(log, partition, random.NextInt64(range.First, range.Next + 1));
                break;
            case 1 or 2:
                await ledger.CommitAsync(log, $"group{random.Next(2)}", partition, random.NextInt64(range.Next + 1));
                break;
            case 3 or 4 or 5:
                await TogetherAsync(disk, log, ledger, random);
                break;
            case 6:
                var burst = Enumerable.Range(0, 5)
                    .Select(_ => ledger.AppendAsync(log, partition, random.Next(1, 3), random.Next(80))).ToList();
                foreach (var append in burst) await TriedAsync(() => append);
                break;
            default:
                await ledger.AppendAsync(log, partition, random.Next(1, 4), random.Next(200));
                break;
        }
    }

    /// <summary>Appends to all partitions that come while the disk is busy with the first.</summary>
    private static async Task TogetherAsync(ForgetfulDisk disk, LocalLog log, Ledger ledger, Random random)
    {
        disk.IsFree.Reset();
        var appends = Partitions.Where(partition => log.FindTopic(partition.Topic) is not null)
            .SelectMany(partition => Enumerable.Repeat(partition, 2))
            .Select(partition => ledger.AppendAsync(log, partition, random.Next(1, 3), random.Next(120)))
            .ToList();
        disk.IsFree.Set();
        foreach (var append in appends) await TriedAsync(() => append);
    }

    private static async Task TriedAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (MillraceException e) when (e.Error.Code is "LOG-0005" or "LOG-0009")
        {
            // The disk failed, as it was told to: what matters is what it holds afterwards.
        }
    }

    private static async Task VerifyAsync(
        ForgetfulDisk disk, Ledger ledger, string context, bool refusedAreGone = false)
    {
        await using var log = OpenOn(disk, context);
        await ledger.VerifyAsync(log, context, refusedAreGone);
    }

    private static LocalLog OpenOn(ForgetfulDisk disk, string context = "")
    {
        try
        {
            // Time passes quickly, so that what failed is tried again.
            var time = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.FromMilliseconds(300) };
            var answersBeside = disk.CrashAt % 2 == 0;
            return LocalLog.Open(disk, "/data/log", Small, time, NullLogger.Instance, answersBeside);
        }
        catch (MillraceException e)
        {
            throw new AssertionException($"{context}: the log does not open: {e.Message}", e);
        }
    }
}
