using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Sessions;
using Millrace.Stores.Sessions;
using Millrace.TestKit;
using Millrace.TestKit.Network;

namespace Millrace.Contract.Tests.Stores;

/// <summary>Sessions between two processes that change them at once, and on what deletions leave.</summary>
public sealed class CassandraSessionTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SessionKey Key = new("d", "c");
    private static readonly QueueLimits Roomy = new(1_000, 1 << 20);
    private static readonly OutboundMessage Message = new("t", 1, false, [], [1], null, null, []);

    private CassandraAdapter _adapter = null!;

    private ISessionStore Store => _adapter.Get<ISessionStore>();

    private CassandraDatabase Database => _adapter.Get<CassandraDatabase>();

    [SetUp]
    public void Open() => _adapter = new CassandraAdapter();

    [TearDown]
    public void Close() => _adapter?.Dispose();

    [Test]
    public async Task A_queue_that_is_never_empty_begins_with_its_first_message()
    {
        var epoch = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        await EnqueueAsync(3);
        for (var gone = 1L; gone <= 5; gone++)
        {
            await EnqueueAsync(1);
            Assert.That(await Store.RemoveAsync(Key, epoch, [gone]), Is.True);
            Assert.That((await HeadAsync()).FirstSequence, Is.EqualTo(gone + 1));
        }

        Assert.That(await SequencesAsync(), Is.EqualTo(new long[] { 6, 7, 8 }));
    }

    [Test]
    public async Task Its_beginning_is_found_again_when_messages_go_out_of_order()
    {
        var epoch = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        await EnqueueAsync(102);
        await Store.RemoveAsync(Key, epoch, [2]);
        await Store.RemoveAsync(Key, epoch, [1]);
        for (var first = 3; first < 1_200; first += 100)
        {
            await EnqueueAsync(100);
            await Store.RemoveAsync(Key, epoch, [.. Enumerable.Range(first, 100).Select(i => (long)i)]);
        }

        Assert.That((await HeadAsync()).FirstSequence, Is.GreaterThan(1_000));
        Assert.That(await SequencesAsync(), Is.EqualTo(Enumerable.Range(1_203, 100).Take(32)));
    }

    [Test]
    public async Task Its_beginning_moves_on_when_what_has_expired_makes_room()
    {
        var epoch = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        await Store.CloseAsync(Key, epoch, new SessionClosure(InboundExchanges.None, 0, 60), Noon);
        var message = new SessionMessage(
            Key, Message with { ExpiresAt = Noon.AddSeconds(1) }, Roomy with { MessagesMax = 3 });
        await Store.EnqueueAsync([message, message], Noon);
        await EnqueueAsync(1);
        await Store.EnqueueAsync([message], Noon.AddSeconds(2));

        Assert.That((await HeadAsync()).FirstSequence, Is.EqualTo(3));
        Assert.That(await SequencesAsync(), Is.EqualTo(new long[] { 3, 4 }));
    }

    [Test]
    public async Task Who_comes_back_reads_a_queue_over_all_that_has_gone_behind_its_first_message()
    {
        const int Gone = 100_500;
        await Store.OpenAsync(Key, false, 60, Noon);
        await EnqueueAsync(1);
        var rows = new SessionRows(Database);
        var before = await rows.ReadAsync(Key.DeviceId, CancellationToken.None);
        var after = before.Copy();
        after.Heads[Key.ClientId] = before.Heads[Key.ClientId] with { LastSequence = Gone };
        Assert.That(await rows.TryChangeAsync(before, after, [], CancellationToken.None), Is.True);
        foreach (var some in Enumerable.Range(2, Gone - 1).Chunk(500)) await DeleteAsync(some);
        await EnqueueAsync(1);

        Assert.That(await SequencesAsync(), Is.EqualTo(new long[] { 1, Gone + 1 }));
    }

    [Test]
    public async Task A_session_that_another_begins_while_its_device_is_read_is_taken_over()
    {
        await using var one = await ProxyAsync();
        await using var two = await ProxyAsync();
        using var first = new CassandraAdapter(changeCassandra: o => o.Port = one.Port);
        using var second = new CassandraAdapter(changeCassandra: o => o.Port = two.Port);

        // The second has the newer epoch, and has found no session when the first begins one.
        one.HoldAt("UPDATE sessions SET version"u8.ToArray());
        var begins = first.Get<ISessionStore>().OpenAsync(Key, false, 60, Noon).AsTask();
        await Eventually.TrueAsync(() => one.IsHolding, "the first is about to begin it");
        two.HoldAt("SELECT version, last_epoch FROM sessions"u8.ToArray());
        var takesOver = second.Get<ISessionStore>().OpenAsync(Key, false, 60, Noon).AsTask();
        await Eventually.TrueAsync(() => two.IsHolding, "the second has found none");
        one.LetGoOn();
        var begun = (await begins).Session;
        two.LetGoOn();

        var opened = await takesOver;
        Assert.That((opened.IsPresent, opened.WasConnected), Is.EqualTo((true, true)));
        Assert.That(opened.Session.SessionId, Is.EqualTo(begun.SessionId));
    }

    [Test]
    public async Task A_session_expires_that_a_sweep_looked_at_while_it_was_being_closed()
    {
        await using var proxy = await ProxyAsync();
        using var slow = new CassandraAdapter(changeCassandra: o => o.Port = proxy.Port);
        var epoch = (await slow.Get<ISessionStore>().OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        proxy.HoldAt("\"IsConnected\":false"u8.ToArray());
        var closes = slow.Get<ISessionStore>().CloseAsync(
            Key, epoch, new SessionClosure(InboundExchanges.None, 0, 0), Noon).AsTask();
        await Eventually.TrueAsync(() => proxy.IsHolding, "it is about to be closed");
        Assert.That((await Store.SweepAsync(Noon, 10)).Ended, Is.Empty);
        proxy.LetGoOn();
        await closes;

        Assert.That((await Store.SweepAsync(Noon.AddSeconds(1), 10)).Ended, Has.Count.EqualTo(1));
        Assert.That(await Store.FindAsync(Key), Is.Null);
    }

    [Test]
    public async Task A_hint_that_nobody_needs_goes_when_no_change_can_be_on_its_way()
    {
        var indexes = new SessionIndexes(Database);
        await indexes.AddAsync(
            new DueHint(DueKind.Session, Noon.ToUnixTimeMilliseconds(), "d", "c", 1), CancellationToken.None);
        foreach (var (minutes, left) in new[] { (0, 1), (5, 1), (11, 0) })
        {
            await Store.SweepAsync(Noon.AddMinutes(minutes), 1);
            var hints = await indexes.DueAsync(DueKind.Session, Noon, 10, CancellationToken.None);
            Assert.That(hints, Has.Count.EqualTo(left), $"after {minutes} minutes");
        }
    }

    [Test]
    public async Task A_sweep_does_not_read_over_all_that_has_gone_long_before()
    {
        const int Gone = 100_500;
        await CloseAsync(Noon.AddHours(2));
        Assert.That((await Store.SweepAsync(Noon.AddHours(2), 10)).Ended, Has.Count.EqualTo(1));
        var delete = new StoreStatement(
            "DELETE FROM session_due WHERE kind = 0 AND shard = ? AND due_at = ? AND device = 'd' AND client = 'c' "
            + "AND epoch = 1");
        foreach (var some in Enumerable.Range(0, Gone).Chunk(500))
        {
            var batch = BatchStatement.Rent();
            foreach (var i in some)
            {
                batch.Add(await Database.BindAsync(delete, CancellationToken.None,
                    SessionIndexes.ShardOf(Key.DeviceId), Noon.ToUnixTimeMilliseconds() + i));
            }

            await Database.RunAsync(batch, CancellationToken.None);
        }

        // As a process that has just begun, too.
        _adapter.Reopen();
        await CloseAsync(Noon.AddHours(3));
        try
        {
            Assert.That((await Store.SweepAsync(Noon.AddHours(3), 10)).Ended, Has.Count.EqualTo(1));
        }
        finally
        {
            // Who looks whether the table is empty, for the next test, would read over them as well.
            await Database.RunAsync(new StoreStatement("TRUNCATE session_due"), CancellationToken.None);
        }

        async Task CloseAsync(DateTimeOffset now)
        {
            var epoch = (await Store.OpenAsync(Key, false, 0, now)).Session.Epoch;
            await Store.CloseAsync(Key, epoch, new SessionClosure(InboundExchanges.None, 0, 0), now);
        }
    }

    [Test]
    public async Task A_connection_is_known_to_be_its_nodes_when_it_was_opened_while_others_looked_after_that()
    {
        await using var proxy = await ProxyAsync();
        using var slow = new CassandraAdapter(changeCassandra: o => o.Port = proxy.Port);
        proxy.HoldAt("\"IsConnected\":true"u8.ToArray());
        var opens = slow.Get<ISessionStore>().OpenAsync(Key, false, 60, Noon).AsTask();
        await Eventually.TrueAsync(() => proxy.IsHolding, "it is about to be opened");
        await Store.LeaveWillsAsync(Noon, Noon, own: false);
        proxy.LetGoOn();
        await opens;

        Assert.That(await Store.ListLeftAsync(Noon, own: false, 10), Has.Count.EqualTo(1));
    }

    private static async Task<BreakableProxy> ProxyAsync()
    {
        var servers = await CassandraNode.ServersAsync();
        return new BreakableProxy(servers.ContactPoints.Split(',')[0], servers.Port);
    }

    private async Task EnqueueAsync(int count)
    {
        var results = await Store.EnqueueAsync(
            [.. Enumerable.Repeat(new SessionMessage(Key, Message, Roomy), count)], Noon);
        Assert.That(results.Select(result => result.Outcome), Has.All.EqualTo(EnqueueOutcome.Queued));
    }

    private async Task DeleteAsync(IEnumerable<int> sequences)
    {
        var messages = new SessionMessages(Database);
        var batch = BatchStatement.Rent();
        foreach (var sequence in sequences)
            batch.Add(await messages.DeleteAsync(Key, sequence, CancellationToken.None));
        await Database.RunAsync(batch, CancellationToken.None);
    }

    private async Task<SessionHead> HeadAsync() =>
        (await new SessionRows(Database).ReadAsync(Key.DeviceId, CancellationToken.None)).Heads[Key.ClientId];

    private async Task<IEnumerable<long>> SequencesAsync() =>
        (await Store.QueueAsync(Key, 0, 32, long.MaxValue)).Select(queued => queued.Sequence);
}
