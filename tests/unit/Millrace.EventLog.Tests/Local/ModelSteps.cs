using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.EventLog.Tests.Disk;
using Millrace.Primitives;

namespace Millrace.EventLog.Tests.Local;

/// <summary>A log, and beside it what it must hold.</summary>
internal sealed class World
{
    private static readonly EventLogOptions Options = new()
    {
        SegmentBytesMax = new ByteSize(900),
        IndexIntervalBytes = new ByteSize(250),
        FreeBytesMin = default,
    };

    private ForgetfulDisk _disk = new(new Random(1));
    private int _serial;

    public LocalLog Log { get; private set; } = null!;

    /// <summary>Of each partition every record ever appended, trimmed ones too.</summary>
    public List<(long Time, string Value)>[] Records { get; } = [[], []];

    public long[] First { get; } = [0, 0];

    public Dictionary<(string Group, int Partition), long> Commits { get; } = [];

    public static TopicPartition Of(int partition) => new("t", partition);

    public async Task OpenAsync()
    {
        Log = LocalLog.Open(_disk, "/log", Options, TimeProvider.System, NullLogger.Instance);
        await Log.EnsureTopicAsync(new TopicSpec("t", 2));
    }

    public async Task ReopenAsync(bool powerLoss)
    {
        if (powerLoss) _disk = _disk.AfterPowerLoss();
        await Log.DisposeAsync();
        await OpenAsync();
    }

    public string NextValue(int size) => $"{_serial++}:{new string('v', size)}";

    public async Task CheckCommitsAsync()
    {
        foreach (var ((group, partition), offset) in Commits)
            Assert.That(await Log.CommittedAsync(group, Of(partition)),
                Is.EqualTo(new CommittedOffset(offset, $"at {offset}")));
    }
}

/// <summary>Something one can do with a log; fails when it does another thing than the model.</summary>
internal abstract record Step
{
    public abstract Task RunAsync(World world);
}

internal sealed record AppendStep(int Partition, int[] Sizes, long Time) : Step
{
    public override async Task RunAsync(World world)
    {
        var records = world.Records[Partition];
        var next = records.Count;
        using var builder = new RecordBatchBuilder();
        foreach (var size in Sizes)
        {
            var value = world.NextValue(size);
            builder.Begin(Time + size % 7, "key"u8);
            builder.End(Encoding.UTF8.GetBytes(value));
            records.Add((Time + size % 7, value));
        }

        Assert.That((await world.Log.AppendAsync(World.Of(Partition), builder)).First, Is.EqualTo(next));
    }
}

/// <param name="Place">Where to begin: 0 at the first record kept, 1 at the end.</param>
internal sealed record ReadStep(int Partition, double Place, int Bytes) : Step
{
    public override async Task RunAsync(World world)
    {
        var records = world.Records[Partition];
        var offset = world.First[Partition] + (long)((records.Count - world.First[Partition]) * Place);
        await using var reader = world.Log.OpenReader(World.Of(Partition), offset);
        while (await reader.TryReadAsync(Bytes) is { } batch)
        {
            Assert.That(batch.Count == 1 || batch.Bytes.Length <= Bytes);
            foreach (var record in batch)
            {
                Assert.That(record.Offset, Is.EqualTo(offset));
                Assert.That((record.TimestampMs, Encoding.UTF8.GetString(record.Value)),
                    Is.EqualTo(records[(int)offset++]));
            }
        }

        Assert.That(offset, Is.EqualTo(records.Count));
    }
}

internal sealed record CommitStep(int Partition, string Group, long Offset) : Step
{
    public override async Task RunAsync(World world)
    {
        await world.Log.CommitAsync(Group, World.Of(Partition), Offset, $"at {Offset}");
        world.Commits[(Group, Partition)] = Offset;
        await world.CheckCommitsAsync();
    }
}

internal sealed record ForgetStep(string Group) : Step
{
    public override async Task RunAsync(World world)
    {
        await world.Log.ForgetGroupAsync(Group);
        for (var partition = 0; partition < 2; partition++)
        {
            world.Commits.Remove((Group, partition));
            Assert.That(await world.Log.CommittedAsync(Group, World.Of(partition)), Is.Null);
        }
    }
}

internal sealed record OffsetAtStep(int Partition, long Time) : Step
{
    public override async Task RunAsync(World world)
    {
        var records = world.Records[Partition];
        var found = records.FindIndex((int)world.First[Partition], record => record.Time >= Time);
        Assert.That(await world.Log.OffsetAtAsync(World.Of(Partition), Time),
            Is.EqualTo(found < 0 ? records.Count : found));
    }
}

internal sealed record TrimStep(int Partition, double Place) : Step
{
    public override async Task RunAsync(World world)
    {
        var next = world.Records[Partition].Count;
        var before = (long)(next * Place * 1.2);
        var first = await world.Log.TrimAsync(World.Of(Partition), before);
        Assert.That(first, Is.InRange(world.First[Partition], Math.Max(world.First[Partition], before)));
        if (before >= next) Assert.That(first, Is.EqualTo(next));
        world.First[Partition] = first;
        Assert.That(await world.Log.RangeAsync(World.Of(Partition)), Is.EqualTo(new OffsetRange(first, next)));
    }
}

internal sealed record ReopenStep(bool PowerLoss) : Step
{
    public override async Task RunAsync(World world)
    {
        await world.ReopenAsync(PowerLoss);
        await world.CheckCommitsAsync();
        for (var partition = 0; partition < 2; partition++)
            Assert.That(await world.Log.RangeAsync(World.Of(partition)),
                Is.EqualTo(new OffsetRange(world.First[partition], world.Records[partition].Count)));
    }
}
