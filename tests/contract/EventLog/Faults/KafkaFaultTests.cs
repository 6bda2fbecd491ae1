using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.Primitives;
using TopicPartition = Millrace.Contracts.TopicPartition;

namespace Millrace.Contract.Tests.EventLog.Faults;

/// <summary>Brokers that die, hang and come back while records are appended and read. Seeded.</summary>
public sealed class KafkaFaultTests : KafkaFaultTest
{
    private const string Topic = "telemetry";
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(20);

    // What was on its way to a broker has come by then, or will not.
    private static readonly TimeSpan Begun = TimeSpan.FromSeconds(5);

    [TestCase(1)]
    [TestCase(2)]
    public async Task Every_ack_is_there_once_and_in_order_when_leaders_are_killed(int seed)
    {
        var log = await OpenAsync(Topic);
        var load = Start(log, seed);
        for (var round = 0; round < 2; round++)
        {
            await GoOnAsync(load, "before the kill");
            var leader = await LeaderAsync(log, round);
            await Brokers.KillAsync(leader);
            await GoOnAsync(load, $"without broker {leader}");
            await Brokers.StartAsync(leader);
        }

        await EndAsync(load);
    }

    [TestCase(5)]
    public async Task Every_ack_is_there_once_and_in_order_when_the_controller_is_killed(int seed)
    {
        var log = await OpenAsync(Topic);
        var load = Start(log, seed);
        for (var round = 0; round < 2; round++)
        {
            await GoOnAsync(load, "before the kill");
            var controller = await Brokers.ControllerAsync();
            await Brokers.KillAsync(controller);
            await GoOnAsync(load, $"without the controller, {controller}");
            Assert.That(await Brokers.ControllerAsync(), Is.Not.EqualTo(controller));
            await Brokers.StartAsync(controller);
        }

        await EndAsync(load);
    }

    [TestCase(3)]
    public async Task Every_ack_is_there_once_and_in_order_when_a_leader_hangs_for_20_seconds(int seed)
    {
        var log = await OpenAsync(Topic);
        var load = Start(log, seed);
        await GoOnAsync(load, "before the pause");
        var leader = await LeaderAsync(log, 0);
        await Brokers.PauseAsync(leader);
        await Task.Delay(Begun, TimeProvider.System);
        var before = load.Acknowledged;
        await Task.Delay(Hang - Begun, TimeProvider.System);
        Assert.That(load.Acknowledged, Is.GreaterThan(before), "the others go on");
        await Brokers.ResumeAsync(leader);
        await GoOnAsync(load, "after the pause");

        await EndAsync(load);
    }

    [TestCase(4)]
    public async Task Every_ack_is_there_once_and_in_order_when_all_are_restarted_in_turn(int seed)
    {
        var log = await OpenAsync(Topic);
        var load = Start(log, seed);
        for (var broker = 1; broker <= 3; broker++)
        {
            await Brokers.KillAsync(broker);
            await Brokers.StartAsync(broker);
            await GoOnAsync(load, $"after the restart of {broker}");
        }

        await EndAsync(load);
    }

    [Test]
    public async Task Without_brokers_appends_wait_and_a_new_process_too_and_all_goes_on_by_itself()
    {
        Options.Producer.QueueRecordsMax = 10;
        var log = await OpenAsync(Topic);
        var partition = new TopicPartition(Topic, 0);
        await AppendAsync(log, partition, "0");
        for (var broker = 1; broker <= 3; broker++) await Brokers.PauseAsync(broker);
        Task<OffsetRange>[] appends;
        Task<TopicInfo> ensured;
        try
        {
            appends = [.. Enumerable.Range(1, 100).Select(n => AppendAsync(log, partition, $"{n}"))];
            var late = Open();
            ensured = late.EnsureTopicAsync(new TopicSpec(Topic, 4)).AsTask();
            Assert.That(async () => await Task.WhenAny(ensured, Task.WhenAny(appends)).WaitAsync(
                TimeSpan.FromSeconds(12)), Throws.TypeOf<TimeoutException>(), "nobody answers");
        }
        finally
        {
            for (var broker = 1; broker <= 3; broker++) await Brokers.ResumeAsync(broker);
        }

        var ranges = await Task.WhenAll(appends).WaitAsync(Recovery);
        Assert.That(ranges.Select(range => range.First).Order(), Is.EqualTo(Enumerable.Range(1, 100)));
        Assert.That((await ensured.WaitAsync(Recovery)).Partitions, Is.EqualTo(4));
    }

    [Test]
    public async Task A_process_closes_while_its_brokers_are_away()
    {
        Options.Producer.QueueRecordsMax = 10;
        Options.DrainTimeout = TimeSpan.FromSeconds(2);
        var log = await OpenAsync(Topic);
        var partition = new TopicPartition(Topic, 0);
        await AppendAsync(log, partition, "0");
        await using var reader = log.OpenReader(partition, 1);
        var reading = reader.ReadAsync().AsTask();
        for (var broker = 1; broker <= 3; broker++) await Brokers.PauseAsync(broker);
        try
        {
            var appends = Enumerable.Range(1, 50).Select(n => AppendAsync(log, partition, $"{n}")).ToList();
            var range = log.RangeAsync(partition).AsTask();
            await log.DisposeAsync().AsTask().WaitAsync(Recovery);

            var uncertain = 0;
            foreach (var append in appends)
            {
                var failure = Assert.CatchAsync(async () => await append.WaitAsync(Recovery))!;
                if (failure is MillraceException { Error.Code: "LOG-0011" }) uncertain++;
                else Assert.That(failure, Is.InstanceOf<ObjectDisposedException>(), "it had no room yet");
            }

            Assert.That(uncertain, Is.InRange(1, 10));
            Assert.CatchAsync(async () => await range.WaitAsync(Recovery));
            Assert.CatchAsync<ObjectDisposedException>(async () => await reading.WaitAsync(Recovery));
        }
        finally
        {
            for (var broker = 1; broker <= 3; broker++) await Brokers.ResumeAsync(broker);
        }
    }

    /// <summary>Two of three replicas are to have a record before it is acknowledged.</summary>
    [TestCase(6)]
    public async Task With_too_few_brokers_in_sync_nothing_is_acknowledged_until_there_are_enough(int seed)
    {
        var log = await OpenAsync(Topic);
        var load = Start(log, seed);
        await GoOnAsync(load, "before");
        await Brokers.KillAsync(1);
        await Brokers.KillAsync(2);
        var before = 0L;
        await TestKit.Eventually.TrueAsync(async () =>
        {
            before = load.Acknowledged;
            await Task.Delay(Begun, TimeProvider.System);
            return load.Acknowledged == before;
        }, "appends wait", Recovery);
        Assert.That(log.OldestAppend, Is.GreaterThan(TimeSpan.FromSeconds(1)), "and it is told");
        await Brokers.StartAsync(1);
        await GoOnAsync(load, "with two again");
        await Brokers.StartAsync(2);
        await EndAsync(load);
    }

    [Test]
    public async Task Commits_survive_the_broker_that_keeps_them()
    {
        var log = await OpenAsync(Topic);
        var partition = new TopicPartition(Topic, 1);
        for (var n = 1; n <= 3; n++)
        {
            await log.CommitAsync("group", partition, n, $"{n}").AsTask().WaitAsync(Recovery);
            await Brokers.KillAsync(n);
            Assert.That(await log.CommittedAsync("group", partition).AsTask().WaitAsync(Recovery),
                Is.EqualTo(new CommittedOffset(n, $"{n}")));
            await Brokers.StartAsync(n);
        }
    }

    [Test]
    public async Task Who_asks_leaders_that_answer_does_not_wait_for_one_that_hangs()
    {
        var log = await OpenAsync(Topic, 24);
        var leaders = await LeadersAsync(log, Topic);
        var hanging = leaders[0];
        foreach (var partition in Partitions(_ => true)) await log.RangeAsync(partition);
        await Brokers.PauseAsync(hanging);
        var silent = Partitions(leader => leader == hanging);
        var waiting = Enumerable.Range(0, 60).Select(n => log.RangeAsync(silent[n % silent.Count]).AsTask()).ToList();
        var answers = Partitions(leader => leader != hanging).Select(other => log.RangeAsync(other).AsTask());
        await Task.WhenAll(answers).WaitAsync(Recovery);
        Assert.That(waiting.Count(each => each.IsCompleted), Is.Zero);

        Assert.That(await Task.WhenAll(waiting).WaitAsync(Recovery), Is.All.EqualTo(new OffsetRange(0, 0)),
            "another leads them");

        List<TopicPartition> Partitions(Func<int, bool> isMeant) =>
            [.. Enumerable.Range(0, 24).Where(p => isMeant(leaders[p])).Select(p => new TopicPartition(Topic, p))];
    }

    [Test]
    public async Task What_is_asked_of_the_cluster_fails_at_worst_while_brokers_die()
    {
        var log = await OpenAsync(Topic);
        var partition = new TopicPartition(Topic, 2);
        await AppendAsync(log, partition, "a", "b");
        using var stop = new CancellationTokenSource();
        var (answers, failures) = (0, 0);
        var asking = Enumerable.Range(0, 8).Select(n => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await ((n % 4) switch
                    {
                        0 => log.RangeAsync(partition).AsTask(),
                        1 => log.OffsetAtAsync(partition, 5_000).AsTask(),
                        2 => log.TrimAsync(partition, 1).AsTask(),
                        _ => (Task)log.EnsureTopicAsync(new TopicSpec(Topic, 4), stop.Token).AsTask(),
                    });
                    Interlocked.Increment(ref answers);
                }
                catch (MillraceException)
                {
                    Interlocked.Increment(ref failures);
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    // The test ends.
                }
            }
        })).ToList();
        for (var broker = 1; broker <= 3; broker++)
        {
            await Brokers.KillAsync(broker);
            var before = Volatile.Read(ref answers);
            await TestKit.Eventually.TrueAsync(
                () => Volatile.Read(ref answers) > before + 20, $"answers come without {broker}", Recovery);
            await Brokers.StartAsync(broker);
        }

        await stop.CancelAsync();
        await Task.WhenAll(asking).WaitAsync(Recovery);
        TestContext.Out.WriteLine($"{answers} answers, {failures} failures");
        Assert.That(await log.RangeAsync(partition), Is.EqualTo(new OffsetRange(1, 2)));
    }

    private static AppendingLoad Start(KafkaLog log, int seed)
    {
        var load = new AppendingLoad(log, Topic, 4, seed);
        load.Start();
        return load;
    }

    private static Task GoOnAsync(AppendingLoad load, string when)
    {
        var before = load.Acknowledged;
        return TestKit.Eventually.TrueAsync(
            () => load.Acknowledged > before + 2_000, $"appends go on {when}", Recovery);
    }

    private static async Task EndAsync(AppendingLoad load)
    {
        await load.EndAndCheckAsync(Recovery);
        TestContext.Out.WriteLine($"{load.Acknowledged} acknowledged, {load.Uncertain.Count} appends uncertain");
        Assert.That(load.Uncertain, Is.Empty, "only the client's own retries, and nothing that it gave up");
    }

    private async Task<int> LeaderAsync(KafkaLog log, int partition) => (await LeadersAsync(log, Topic))[partition];
}
