using Millrace.Contracts;

namespace Millrace.Contract.Tests.EventLog.Faults;

/// <summary>What it costs to wait for brokers.</summary>
public sealed class KafkaWaitFaultTests : KafkaFaultTest
{
    private const int Appends = 200;
    private static readonly TopicPartition Partition = new("telemetry", 0);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(3);

    [Test]
    public async Task Appends_that_wait_for_brokers_take_no_core()
    {
        var log = await OpenAsync(Partition.Topic);
        await AppendAsync(log, Partition, "before");
        await Brokers.PauseAsync(await FollowerAsync(log, Partition));
        var appends = Enumerable.Range(0, Appends).Select(n => AppendAsync(log, Partition, $"{n}")).ToList();
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        var before = Environment.CpuUsage.TotalTime;
        await Task.Delay(Watched, TimeProvider.System);
        var used = Environment.CpuUsage.TotalTime - before;
        var waiting = appends.Count(append => !append.IsCompleted);
        await Brokers.HealAsync();

        var offsets = await Task.WhenAll(appends).WaitAsync(Recovery);
        TestContext.Out.WriteLine($"{waiting} of {Appends} waited, {used.TotalMilliseconds:0} ms of CPU in 3 s");
        Assert.That(offsets.Select(range => range.First), Is.EqualTo(Enumerable.Range(1, Appends)));
        Assert.That(waiting, Is.EqualTo(Appends), "the brokers answered");
        Assert.That(used, Is.LessThan(Watched / 4));
    }
}
