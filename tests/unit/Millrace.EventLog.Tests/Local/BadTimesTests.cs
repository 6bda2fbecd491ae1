using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Millrace.Contracts;
using Millrace.EventLog.Local;
using Millrace.EventLog.Tests.Disk;
using Millrace.Primitives;
using Millrace.TestKit;
using NUnit.Framework.Constraints;

namespace Millrace.EventLog.Tests.Local;

/// <summary>Full disks, slow disks, large appends, two processes.</summary>
public class BadTimesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TopicPartition Partition = new("telemetry", 0);

    private readonly FakeTimeProvider _time = new();
    private ForgetfulDisk _disk = null!;

    [SetUp]
    public void NewDisk() => _disk = new ForgetfulDisk(new Random(1));

    [Test]
    public async Task A_full_disk_refuses_appends_and_takes_them_again_when_there_is_room()
    {
        await using var log = await OpenAsync();
        Assert.That(await AppendAsync(log), Is.Zero);
        _disk.FaultAt = _ => Fault.NoSpace;
        for (var i = 0; i < 3; i++) Assert.That(async () => await AppendAsync(log), FailsWith("LOG-0005"));
        await using var reader = log.OpenReader(Partition, 0);
        Assert.That((await reader.ReadAsync()).Count, Is.EqualTo(1), "what was kept is read meanwhile");
        _disk.FaultAt = _ => Fault.None;
        Assert.That(await AppendAsync(log), Is.EqualTo(1));
    }

    [Test]
    public async Task The_guard_refuses_before_the_disk_is_full()
    {
        await using var log = await OpenAsync(options => options.FreeBytesMin = ByteSize.FromMiB(10));
        _disk.Free = ByteSize.FromMiB(11).Bytes;
        Assert.That(await AppendAsync(log), Is.Zero);

        _disk.Free = ByteSize.FromMiB(9).Bytes;
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(async () => await AppendAsync(log), FailsWith("LOG-0005", "10MiB must stay free"));
        await log.CommitAsync("group", Partition, 1);
        Assert.That((await log.CommittedAsync("group", Partition))!.NextOffset, Is.EqualTo(1), "consumers go on");

        _disk.Free = ByteSize.FromMiB(11).Bytes;
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(await AppendAsync(log), Is.EqualTo(1));
    }

    [Test]
    public async Task An_append_over_its_limit_is_refused()
    {
        await using var log = await OpenAsync(options => options.AppendBytesMax = new ByteSize(1_000));
        Assert.That(async () => await AppendAsync(log, bytes: 1_000), FailsWith("LOG-0008"));
        Assert.That(await AppendAsync(log, bytes: 900), Is.Zero);
    }

    [Test]
    public async Task Appends_wait_when_too_much_waits_for_the_disk_and_may_give_up()
    {
        await using var log = await OpenAsync(options => options.PendingBytesMax = new ByteSize(4_000));
        using var slow = new ManualResetEventSlim();
        _disk.FaultAt = _ =>
        {
            slow.Wait(Patience);
            return Fault.None;
        };

        // The first is being written; the next ones fill the room; the rest wait for room with their builders.
        var appends = Enumerable.Range(0, 21).Select(_ => AppendAsync(log, bytes: 900)).ToList();
        using var cancel = new CancellationTokenSource();
        var cancelled = AppendAsync(log, bytes: 900, cancel.Token);
        appends.Add(AppendAsync(log, bytes: 900));
        await cancel.CancelAsync();
        Assert.That(async () => await cancelled.WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(appends.Any(append => append.IsCompleted), Is.False);

        slow.Set();
        var offsets = await Task.WhenAll(appends).WaitAsync(Patience);
        Assert.That(offsets, Is.EqualTo(Enumerable.Range(0, 22)));
        Assert.That((await log.RangeAsync(Partition)).Next, Is.EqualTo(22), "the cancelled one is not there");
    }

    [Test]
    public async Task Closing_the_log_keeps_what_was_accepted()
    {
        var log = await OpenAsync();
        var appends = Enumerable.Range(0, 100).Select(_ => AppendAsync(log)).ToList();
        await log.DisposeAsync();
        Assert.That(await Task.WhenAll(appends), Is.EqualTo(Enumerable.Range(0, 100)));
        Assert.That(async () => await AppendAsync(log), Throws.InstanceOf<ObjectDisposedException>());

        await using var again = await OpenAsync();
        Assert.That((await again.RangeAsync(Partition)).Next, Is.EqualTo(100));
    }

    [Test]
    public async Task A_read_that_waits_ends_with_the_log()
    {
        var log = await OpenAsync();
        await using var tail = log.OpenReader(Partition, 0);
        var waiting = tail.ReadAsync().AsTask();
        await log.DisposeAsync();
        Assert.That(async () => await waiting.WaitAsync(Patience), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public async Task Appending_allocates_no_task_for_each_append()
    {
        using var folder = new TemporaryFolder();
        await using var log = LocalLog.Open(folder.Path);
        await log.EnsureTopicAsync(new TopicSpec("telemetry", 1));
        using var builder = Build(100);
        const int appends = 500;
        var answers = new List<ValueTask<OffsetRange>>(appends);
        var allocated = long.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < appends; i++) Keep(log.AppendAsync(Partition, builder));
            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            foreach (var answer in answers) await answer;
            answers.Clear();
        }

        Assert.That(allocated / appends, Is.LessThan(8), "bytes an append, warmed up");

        void Keep(ValueTask<OffsetRange> answer) => answers.Add(answer);
    }

    [Test]
    public void One_process_has_the_folder_and_another_is_told_which()
    {
        using var folder = new TemporaryFolder();
        using (LocalLog.Open(folder.Path))
        {
            Assert.That(() => LocalLog.Open(folder.Path),
                FailsWith("LOG-0001", $"Process {Environment.ProcessId} holds it"));
        }

        using var next = LocalLog.Open(folder.Path);
        Assert.That(next.Topics, Is.Empty);
    }

    [TestCase("")]
    [TestCase(".")]
    [TestCase("..")]
    [TestCase("a/b")]
    [TestCase("a\\b")]
    [TestCase("-a")]
    [TestCase("a b")]
    [TestCase("ä")]
    [TestCase("a\0")]
    public async Task A_topic_name_that_is_no_safe_file_name_is_refused(string name)
    {
        await using var log = await OpenAsync();
        Assert.That(async () => await log.EnsureTopicAsync(new TopicSpec(name, 1)), FailsWith("LOG-0007"));
    }

    [Test]
    public async Task A_builder_without_records_or_with_an_open_one_is_refused()
    {
        await using var log = await OpenAsync();
        using var builder = new RecordBatchBuilder();
        Assert.That(async () => await log.AppendAsync(Partition, builder), Throws.ArgumentException);
        builder.Begin(1, "device"u8);
        Assert.That(async () => await log.AppendAsync(Partition, builder), Throws.ArgumentException);
    }

    private static IResolveConstraint FailsWith(string code, string message = "") =>
        Throws.TypeOf<MillraceException>().With.Message.StartsWith(code).And.Message.Contains(message);

    private async Task<LocalLog> OpenAsync(Action<EventLogOptions>? change = null)
    {
        var options = new EventLogOptions { FreeBytesMin = default };
        change?.Invoke(options);
        var log = LocalLog.Open(_disk, "/data/log", options, _time, NullLogger.Instance);
        await log.EnsureTopicAsync(new TopicSpec("telemetry", 1));
        return log;
    }

    private static async Task<long> AppendAsync(LocalLog log, int bytes = 10, CancellationToken ct = default)
    {
        using var builder = Build(bytes);
        return (await log.AppendAsync(Partition, builder, ct)).First;
    }

    private static RecordBatchBuilder Build(int bytes)
    {
        var builder = new RecordBatchBuilder();
        builder.Begin(1, "device"u8);
        builder.End(new byte[bytes]);
        return builder;
    }
}
