using System.Collections.Concurrent;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Stores.Sessions;

namespace Millrace.Contract.Tests.Stores;

public abstract partial class SessionStoreContract : StoreContract<ISessionStore>
{
    private static readonly SessionKey Key = new("d", "c");
    private static readonly QueueLimits Roomy = new(1000, 1 << 20);

    [Test]
    public async Task A_session_comes_back_whole_after_a_restart()
    {
        var key = new SessionKey("dev/1", "client \u001f ü '\"");
        var opened = await Store.OpenAsync(key, cleanStart: true, 3600, Noon);
        var (epoch, inbound) = (opened.Session.Epoch, new InboundExchanges(
            long.MaxValue - 1, [new OpenExchange(65535, 7), new OpenExchange(1, long.MaxValue - 1)],
            [new PartitionOffset(new TopicPartition("telemetry", 3), long.MaxValue)]));
        var subscriptions = new[]
        {
            new SessionSubscription("a/#", 2, true, true, 2, 268_435_455),
            new SessionSubscription("b", 0, false, false, 0, 0),
        };
        await Store.SubscribeAsync(key, epoch, subscriptions);
        await EnqueueAsync(key, 1, 2);
        await Store.CloseAsync(key, epoch, new SessionClosure(inbound, 1, uint.MaxValue), Noon);
        Reopen();

        var expected = new StoredSession(key, opened.Session.SessionId, epoch, false, uint.MaxValue, null,
            subscriptions, inbound, 1, 2);
        Assert.That(Text(await Store.FindAsync(key)), Is.EqualTo(Text(expected)));
        var queue = await Store.QueueAsync(key, 0, 10, long.MaxValue);
        Assert.That(Text(queue), Is.EqualTo(Text(new[] { 1, 2 }.Select(
            n => new QueuedMessage(n, Message(n) with { Source = null }, false)))));
    }

    [Test]
    public async Task An_older_owner_changes_nothing()
    {
        var older = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        await EnqueueAsync(Key, 1);
        var newer = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        var before = Text(await Store.FindAsync(Key));

        Assert.That(newer, Is.GreaterThan(older));
        Assert.That(await AllWritesAsync(older), Is.All.False);
        Assert.That(Text(await Store.FindAsync(Key)), Is.EqualTo(before));
        Assert.That(await Store.QueueAsync(Key, 0, 10, long.MaxValue), Has.Count.EqualTo(1));
        Assert.That(await AllWritesAsync(newer), Is.All.True);
    }

    [Test]
    public async Task What_a_sender_publishes_once_is_queued_and_known_in_one_step()
    {
        var sender = new SessionKey("s", "c");
        var older = (await Store.OpenAsync(sender, false, 60, Noon)).Session.Epoch;
        var newer = (await Store.OpenAsync(sender, false, 60, Noon)).Session.Epoch;
        await Store.OpenAsync(Key, false, 60, Noon);
        var inbound = new InboundExchanges(0, [new OpenExchange(5, 1)], []);
        var messages = new[] { new SessionMessage(Key, Message(1), Roomy) };

        Assert.That(await Store.EnqueueOnceAsync(messages, Noon, sender, older, inbound), Is.Null);
        Assert.That((await Store.FindAsync(Key))!.Queued, Is.Zero);
        Assert.That((await Store.EnqueueOnceAsync(messages, Noon, sender, newer, inbound))!.Single().Outcome,
            Is.EqualTo(EnqueueOutcome.Queued));
        Reopen();
        Assert.That((await Store.FindAsync(Key))!.Queued, Is.EqualTo(1));
        Assert.That((await Store.FindAsync(sender))!.Inbound.Open, Is.EqualTo(inbound.Open));
    }

    [Test]
    public async Task An_epoch_does_not_come_again_when_a_session_is_removed_and_made_again()
    {
        var older = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        await Store.BeginAsync(Key, Noon);
        Assert.That(await AllWritesAsync(older), Is.All.False);
        Reopen();
        var newer = await Store.OpenAsync(Key, false, 60, Noon);

        Assert.That((newer.IsPresent, newer.Session.Epoch), Is.EqualTo((false, older + 2)));
        Assert.That(await AllWritesAsync(older), Is.All.False);
    }

    [Test]
    public async Task Of_owners_that_race_none_writes_once_a_newer_one_has_taken_over()
    {
        var raised = 0L;
        var lateWrites = new ConcurrentBag<(long Epoch, long Newer)>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            var epoch = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
            InterlockedMax(ref raised, epoch);
            for (var i = 0; i < 20; i++)
            {
                var newer = Interlocked.Read(ref raised);
                if (!await Store.SaveInboundAsync(Key, epoch, new InboundExchanges(epoch, [], []))) return;
                if (newer > epoch) lateWrites.Add((epoch, newer));
            }
        })));

        Assert.That(lateWrites, Is.Empty);
        Assert.That((await Store.FindAsync(Key))!.Inbound.LastExchange, Is.EqualTo(raised));
    }

    [Test]
    public async Task Messages_that_race_into_a_queue_get_all_numbers_and_keep_the_limit()
    {
        await Store.OpenAsync(Key, false, 60, Noon);
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var mine = new List<EnqueueResult>();
            var message = new SessionMessage(
                Key, Message(worker) with { Source = null }, new QueueLimits(50, 1 << 20));
            for (var i = 0; i < 10; i++)
                mine.AddRange(await Store.EnqueueAsync([message], Noon));
            return mine;
        })));

        var queued = results.SelectMany(r => r).Where(r => r.Outcome == EnqueueOutcome.Queued).Select(r => r.Sequence);
        Assert.That(queued.Order(), Is.EqualTo(Enumerable.Range(1, 50)));
        Assert.That(results.SelectMany(r => r).Count(r => r.Outcome == EnqueueOutcome.Full), Is.EqualTo(30));
    }

    [Test]
    public async Task A_reader_takes_no_more_than_it_asked_for_but_always_one()
    {
        await Store.OpenAsync(Key, false, 60, Noon);
        await EnqueueAsync(Key, [.. Enumerable.Range(1, 9)]);
        var size = Message(1).Topic.Length + Message(1).Properties.Length + Message(1).Payload.Length;

        Assert.That(await NumbersAsync(2, 4, long.MaxValue), Is.EqualTo(new[] { 3, 4, 5, 6 }));
        Assert.That(await NumbersAsync(0, 9, 1), Is.EqualTo(new[] { 1 }));
        Assert.That(await NumbersAsync(0, 9, size * 2), Is.EqualTo(new[] { 1, 2 }));
        Assert.That(await NumbersAsync(0, 9, (size * 2) + 1), Is.EqualTo(new[] { 1, 2, 3 }));
    }

    [Test]
    public async Task What_was_known_is_still_known_when_it_has_been_delivered_and_the_store_was_closed()
    {
        var epoch = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        await EnqueueAsync(Key, 7);
        await Store.RemoveAsync(Key, epoch, [1]);
        Reopen();

        Assert.That(await EnqueueAsync(Key, 7, 8), Is.EqualTo(
            new[] { new EnqueueResult(EnqueueOutcome.Known, 0), new EnqueueResult(EnqueueOutcome.Queued, 2) }));
    }

    [Test]
    public async Task An_expired_message_makes_room_unless_it_may_have_been_sent()
    {
        var epoch = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        var (brief, later) = (Message(0) with { Source = null, ExpiresAt = Noon.AddSeconds(1) }, Noon.AddSeconds(2));
        var one = new SessionMessage(Key, brief, new QueueLimits(3, 1 << 20));
        await Store.EnqueueAsync([.. Enumerable.Repeat(one, 3)], Noon);
        Assert.That((await Store.EnqueueAsync([one], later)).Single().Outcome,
            Is.EqualTo(EnqueueOutcome.Full), "connected: any of them may be on its way");

        await Store.CloseAsync(Key, epoch, new SessionClosure(InboundExchanges.None, 1, 60), Noon);
        Assert.That((await Store.EnqueueAsync([one], later)).Single(),
            Is.EqualTo(new EnqueueResult(EnqueueOutcome.Queued, 4)));
        Assert.That(await NumbersAsync(0, 9, long.MaxValue), Is.EqualTo(new[] { 1, 4 }));
    }

    [Test]
    public async Task A_connection_may_leave_what_is_stored_of_its_publishes()
    {
        var epoch = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        var inbound = new InboundExchanges(7, [new OpenExchange(3, 7)], []);
        await Store.SaveInboundAsync(Key, epoch, inbound);

        await Store.CloseAsync(Key, epoch, new SessionClosure(Inbound: null, 0, 60), Noon);

        var stored = (await Store.FindAsync(Key))!;
        Assert.That((stored.IsConnected, stored.Inbound.LastExchange), Is.EqualTo((false, 7)));
        Assert.That(stored.Inbound.Open, Is.EqualTo(inbound.Open));
    }

    [Test]
    public async Task A_message_that_came_expired_makes_room_for_those_that_come_with_it()
    {
        var epoch = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        await Store.CloseAsync(Key, epoch, new SessionClosure(InboundExchanges.None, 0, 60), Noon);
        var (late, lasting) = (Message(3) with { ExpiresAt = Noon }, Message(4) with { ExpiresAt = null });

        var all = await Store.EnqueueAsync(
            [.. new[] { late, lasting, Message(5) }.Select(m => new SessionMessage(Key, m, new(2, 1 << 20)))], Noon);

        Assert.That(all.Select(one => (one.Outcome, one.Sequence)), Is.EqualTo(new[]
            { (EnqueueOutcome.Queued, 1L), (EnqueueOutcome.Queued, 2), (EnqueueOutcome.Queued, 3) }));
        Assert.That(await NumbersAsync(0, 9, long.MaxValue), Is.EqualTo(new[] { 2, 3 }));
        Assert.That((await Store.EnqueueAsync([new SessionMessage(Key, late, new(9, 1 << 20))], Noon))
            .Single().Outcome, Is.EqualTo(EnqueueOutcome.Known), "it was queued once, though it never left");
    }

    [Test]
    public async Task After_a_crash_all_that_waited_may_have_been_sent()
    {
        await Store.OpenAsync(Key, false, 60, Noon);
        await EnqueueAsync(Key, 1, 2);
        Reopen();
        var opened = await Store.OpenAsync(Key, false, 60, Noon);
        Assert.That((opened.IsPresent, opened.WasConnected, opened.Session.SentSequence), Is.EqualTo((true, true, 2)));
    }

    [Test]
    public async Task A_sweep_does_a_part_and_says_so()
    {
        foreach (var i in Enumerable.Range(0, 7))
        {
            var key = new SessionKey("d", $"c{i}");
            var will = new StoredWill($"w{i}", 1, false, [], [], DelaySeconds: i < 4 ? 10u : 100);
            var opened = await Store.OpenAsync(key, false, 60, Noon, will);
            var closure = new SessionClosure(InboundExchanges.None, 0, 50);
            await Store.CloseAsync(key, opened.Session.Epoch, closure, Noon);
        }

        var wills = new List<string>();
        foreach (var (seconds, ended, hasMore) in new[]
            { (9, 0, false), (10, 0, true), (10, 0, false), (50, 3, true), (50, 3, true), (50, 1, false),
              (50, 0, false) })
        {
            var swept = await Store.SweepAsync(Noon.AddSeconds(seconds), 3);
            Assert.That((swept.Ended.Count, swept.HasMore), Is.EqualTo((ended, hasMore)), $"{seconds}");
            Assert.That(swept.Wills, Has.Count.LessThanOrEqualTo(3));
            await Store.RemoveWillsAsync(swept.Wills);
            wills.AddRange(swept.Wills.Select(w => w.Will.Topic));
        }

        Assert.That(wills.Order(), Is.EqualTo(Enumerable.Range(0, 7).Select(i => $"w{i}")));
        Assert.That(await Store.OfDeviceAsync("d"), Is.Empty);
    }

    [Test]
    public async Task A_will_that_is_due_does_not_wait_for_all_sessions_that_end()
    {
        foreach (var i in Enumerable.Range(0, 7))
        {
            var opened = await Store.OpenAsync(new SessionKey($"d{i}", "c"), false, 10, Noon);
            var closure = new SessionClosure(InboundExchanges.None, 0, 10);
            await Store.CloseAsync(opened.Session.Key, opened.Session.Epoch, closure, Noon);
        }

        var will = new StoredWill("w", 1, false, [], [], DelaySeconds: 10);
        var mine = await Store.OpenAsync(new SessionKey("mine", "c"), false, 60, Noon, will);
        await Store.CloseAsync(mine.Session.Key, mine.Session.Epoch,
            new SessionClosure(InboundExchanges.None, 0, 60), Noon);

        var swept = await Store.SweepAsync(Noon.AddSeconds(10), 3);
        Assert.That((swept.Ended.Count, swept.HasMore), Is.EqualTo((3, true)));
        Assert.That(swept.Wills.Select(due => due.Will.Topic), Is.EqualTo(new[] { "w" }));
    }

    [Test]
    public async Task Every_session_is_in_the_list_once_whatever_the_page()
    {
        var keys = Enumerable.Range(0, 11).Select(i => new SessionKey($"d{i % 3}", $"c{i}\u001f")).ToList();
        foreach (var key in keys) await Store.OpenAsync(key, false, 60, Noon);
        foreach (var limit in new[] { 1, 4, 11, 50 })
        {
            var listed = await AllAsync(limit, token => Store.ListAsync(limit, token));
            Assert.That(listed.Select(s => s.Key), Is.EquivalentTo(keys));
        }

        var ofDevice = keys.Where(k => k.DeviceId == "d1").OrderBy(k => k.ClientId, StringComparer.Ordinal);
        Assert.That((await Store.OfDeviceAsync("d1")).Select(s => s.Key), Is.EqualTo(ofDevice));
        Assert.That(CodeOf(async () => await Store.ListAsync(5, "nonsense")), Is.EqualTo("ST-0002"));
    }

    private async Task<bool[]> AllWritesAsync(long epoch) =>
    [
        await Store.SaveInboundAsync(Key, epoch, new InboundExchanges(9, [], [])),
        await Store.SubscribeAsync(Key, epoch, [new SessionSubscription("x", 1, false, false, 0, 0)]),
        await Store.UnsubscribeAsync(Key, epoch, ["x"]),
        await Store.MarkReceivedAsync(Key, epoch, [1]),
        await Store.RemoveAsync(Key, epoch, [1]),
        (await Store.CloseAsync(Key, epoch, new SessionClosure(InboundExchanges.None, 5, 7), Noon)).IsOwner,
    ];

    private async Task<IReadOnlyList<EnqueueResult>> EnqueueAsync(SessionKey key, params int[] numbers) =>
        await Store.EnqueueAsync([.. numbers.Select(n => new SessionMessage(key, Message(n), Roomy))], Noon);

    private async Task<IEnumerable<long>> NumbersAsync(long after, int max, long bytesMax) =>
        (await Store.QueueAsync(Key, after, max, bytesMax)).Select(m => m.Sequence);

    private static OutboundMessage Message(int n) => new($"t/{n}", n % 3, n % 2 == 0, [1, (byte)n], [2, 3, (byte)n],
        n == 2 ? Noon.AddDays(1) : null, new PartitionOffset(Partition(0), n), n == 1 ? [5, 268_435_455] : []);

    [Test]
    public async Task A_session_is_of_the_node_that_opened_it_as_long_as_it_is_heard_of()
    {
        var key = new SessionKey("d", "c");
        Assert.That(await Store.CountNodesAsync(Noon), Is.Zero);
        Assert.That(await Store.RenewAsync("r", Noon), Is.Null);
        Assert.That(await Store.CountNodesAsync(Noon), Is.EqualTo(1));
        Assert.That(await Store.CountNodesAsync(Noon.AddMilliseconds(1)), Is.Zero);
        var opened = await Store.OpenAsync(key, false, 60, Noon);

        Assert.That(await Store.HolderAsync(key, Noon), Is.Not.Null);
        Assert.That(await Store.HolderAsync(key, Noon.AddMilliseconds(1)), Is.Null);
        Assert.That(await Store.ListLeftAsync(Noon, own: false, 10), Is.Empty);
        Assert.That((await Store.ListLeftAsync(Noon, own: true, 10)).Single().Key, Is.EqualTo(key));
        Assert.That((await Store.ListLeftAsync(Noon.AddSeconds(1), own: false, 10)).Single().Key, Is.EqualTo(key));
        Assert.That(await Store.RenewAsync("r", Noon.AddSeconds(1)), Is.EqualTo(Noon));
        Assert.That(await Store.ListLeftAsync(Noon.AddSeconds(1), own: false, 10), Is.Empty);

        await Store.CloseAsync(key, opened.Session.Epoch, new SessionClosure(InboundExchanges.None, 0, 60), Noon);
        Assert.That(await Store.HolderAsync(key, Noon), Is.Null);
        Assert.That(await Store.ListLeftAsync(Noon.AddSeconds(9), own: true, 10), Is.Empty);
    }

    [Test]
    public async Task A_run_is_lost_when_the_node_began_another_or_until_it_is_said_to_have_ended()
    {
        await Store.RenewAsync("r1", Noon);
        Assert.That(await Store.ListLostRunsAsync("r1", Noon), Is.Empty);
        Assert.That(await Store.ListLostRunsAsync("r1", Noon.AddHours(1)), Is.Empty, "one's own is not lost");

        await Store.RenewAsync("r2", Noon.AddSeconds(1));
        Reopen();
        await Store.RenewAsync("r3", Noon.AddSeconds(2));
        Assert.That(await Store.ListLostRunsAsync("r3", Noon), Is.EquivalentTo(["r1", "r2"]));
        await Store.EndRunAsync("r1");
        await Store.EndRunAsync("unknown");
        Assert.That(await Store.ListLostRunsAsync("r3", Noon), Is.EqualTo(["r2"]));
        await Store.EndRunAsync("r2");
        Assert.That(await Store.ListLostRunsAsync("r3", Noon), Is.Empty);
    }

    /// <summary>For comparing what has lists in it.</summary>
    private static string Text(object? value) => JsonSerializer.Serialize(value);
}
