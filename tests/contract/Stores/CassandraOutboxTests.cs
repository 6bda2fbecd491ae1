using System.Text.Json;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Sessions;
using Millrace.Stores.Sessions;

namespace Millrace.Contract.Tests.Stores;

/// <summary>What a process leaves behind that dies while a publish is on its way into several queues.</summary>
public class CassandraOutboxTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SessionKey Sender = new("sender", "c");
    private static readonly SessionKey[] Receivers = [new("one", "a"), new("two", "a")];
    private static readonly QueueLimits Roomy = new(100, 1 << 20);
    private static readonly OutboundMessage Message = new("t", 2, false, [1], [2], null, null, [3]);

    private CassandraAdapter _adapter = null!;

    private ISessionStore Store => _adapter.Get<ISessionStore>();

    [SetUp]
    public async Task OpenAsync()
    {
        _adapter = new CassandraAdapter();
        foreach (var key in Receivers) await Store.OpenAsync(key, false, 60, Noon);
    }

    [TearDown]
    public void Close() => _adapter?.Dispose();

    [Test]
    public async Task A_sweep_brings_to_the_rest_what_one_of_the_queues_has_already_and_no_queue_has_it_twice()
    {
        var outbox = Outbox.Of([.. Receivers.Select(key => new SessionMessage(key, Message, Roomy))], 1_000, Noon);
        Assert.That(outbox.Bodies, Has.Count.EqualTo(1));
        await LeaveAsync(outbox with { Messages = [outbox.Messages[0]] });
        Assert.That((await Store.SweepAsync(Noon.AddSeconds(29), 10)).HasMore, Is.False);
        Assert.That(await QueuedAsync(), Is.EqualTo(new[] { 0, 0 }), "its process may be at work");
        await Store.SweepAsync(Noon.AddSeconds(30), 10);
        Assert.That(await QueuedAsync(), Is.EqualTo(new[] { 1, 0 }));

        await LeaveAsync(outbox);
        await Store.SweepAsync(Noon.AddSeconds(30), 10);
        await Store.SweepAsync(Noon.AddSeconds(90), 10);
        Assert.That(await QueuedAsync(), Is.EqualTo(new[] { 1, 1 }));
        var queued = (await Store.QueueAsync(Receivers[1], 0, 10, long.MaxValue)).Single().Message;
        Assert.That(JsonSerializer.Serialize(queued), Is.EqualTo(JsonSerializer.Serialize(Message)));
    }

    [Test]
    public async Task A_queue_knows_what_was_left_to_a_sweep_however_many_publishes_have_come_since()
    {
        const int Since = 70;
        var outbox = Outbox.Of([.. Receivers.Select(key => new SessionMessage(key, Message, Roomy))], 1_000, Noon);
        await LeaveAsync(outbox);
        await Store.SweepAsync(Noon.AddSeconds(30), 10);
        await LeaveAsync(outbox);
        var epoch = (await Store.OpenAsync(Sender, false, 60, Noon)).Session.Epoch;
        for (var i = 0; i < Since; i++)
        {
            await Store.EnqueueOnceAsync(
                [new SessionMessage(Receivers[0], Message, Roomy)], Noon, Sender, epoch, InboundExchanges.None);
        }

        await Store.SweepAsync(Noon.AddSeconds(31), 10);

        Assert.That(await QueuedAsync(), Is.EqualTo(new[] { 1 + Since, 1 }));
        var sessions = await new SessionRows(_adapter.Get<CassandraDatabase>()).ReadAsync(
            Receivers[0].DeviceId, CancellationToken.None);
        Assert.That(sessions.Heads[Receivers[0].ClientId].KnownOutboxes, Has.Count.LessThan(10),
            "those that were emptied are no more to be remembered");
    }

    [Test]
    public async Task Nothing_is_left_of_a_publish_that_went_through()
    {
        var epoch = (await Store.OpenAsync(Sender, false, 60, Noon)).Session.Epoch;
        var messages = Receivers.Select(key => new SessionMessage(key, Message, Roomy)).ToList();
        for (var i = 0; i < 3; i++)
            await Store.EnqueueOnceAsync(messages, Noon, Sender, epoch, InboundExchanges.None);

        await Store.SweepAsync(Noon.AddSeconds(31), 10);
        Assert.That(await QueuedAsync(), Is.EqualTo(new[] { 3, 3 }));
        var database = _adapter.Get<CassandraDatabase>();
        var left = await database.ListAsync(
            new StoreStatement("SELECT number FROM sessions WHERE device = ? AND kind = 4"), row => row.Get<long>(0),
            CancellationToken.None, Sender.DeviceId);
        Assert.That(left, Is.Empty);
    }

    [Test]
    public async Task Each_queue_of_an_outbox_that_is_found_has_its_own_limits()
    {
        SessionMessage[] messages =
        [
            new(Receivers[0], Message, Roomy), new(Receivers[0], Message, Roomy),
            new(Receivers[1], Message, Roomy with { MessagesMax = 1 }),
            new(Receivers[1], Message, Roomy with { MessagesMax = 1 }),
        ];
        await LeaveAsync(Outbox.Of(messages, 1_000, Noon));

        await Store.SweepAsync(Noon.AddSeconds(30), 10);

        Assert.That(await QueuedAsync(), Is.EqualTo(new[] { 2, 1 }));
    }

    [Test]
    public async Task A_message_of_an_outbox_that_is_found_has_its_share()
    {
        SessionMessage[] messages = [new(Receivers[0], Message with { Share = "$share/g/#" }, Roomy)];
        await LeaveAsync(Outbox.Of(messages, 1_000, Noon));

        await Store.SweepAsync(Noon.AddSeconds(30), 10);

        var queue = await Store.QueueAsync(Receivers[0], 0, 10, long.MaxValue);
        Assert.That(queue.Single().Message.Share, Is.EqualTo("$share/g/#"));
        Assert.That((await Store.FindAsync(Receivers[0]))!.HadShared);
    }

    /// <summary>As a process leaves it that dies when the sender's part is done.</summary>
    private async Task LeaveAsync(Outbox outbox)
    {
        var database = _adapter.Get<CassandraDatabase>();
        var insert = await new Outboxes(database).InsertAsync(Sender.DeviceId, outbox, CancellationToken.None);
        await database.RunAsync(insert, CancellationToken.None);
        await new SessionIndexes(database).AddAsync(new DueHint(DueKind.Outbox,
            Noon.AddSeconds(30).ToUnixTimeMilliseconds(), Sender.DeviceId, "", outbox.Number), CancellationToken.None);
    }

    private async Task<IEnumerable<int>> QueuedAsync() =>
    [
        (await Store.FindAsync(Receivers[0]))!.Queued, (await Store.FindAsync(Receivers[1]))!.Queued,
    ];
}
