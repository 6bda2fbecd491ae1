using Millrace.Stores.Sessions;

namespace Millrace.Contract.Tests.Stores;

/// <summary>What a session leaves to others when it ends.</summary>
public abstract partial class SessionStoreContract
{
    private const string Share = "$share/g/t/ü/#";

    [Test]
    public async Task The_share_of_a_message_comes_back_with_it_however_it_was_queued()
    {
        var sender = new SessionKey("s", "c");
        var epoch = (await Store.OpenAsync(sender, false, 60, Noon)).Session.Epoch;
        await Store.OpenAsync(Key, false, 60, Noon);
        await EnqueueAsync(Key, 1);
        Assert.That((await Store.FindAsync(Key))!.HadShared, Is.False);
        await EnqueueSharedAsync(Key, 2);
        await Store.EnqueueOnceAsync([Shared(Key, 3)], Noon, sender, epoch, InboundExchanges.None);
        Reopen();

        Assert.That((await Store.QueueAsync(Key, 0, 10, long.MaxValue)).Select(m => m.Message.Share),
            Is.EqualTo(new[] { null, Share, Share }));
        Assert.That((await Store.FindAsync(Key))!.MayLeaveShared);
    }

    [Test]
    public async Task A_session_that_was_ended_takes_nothing_more_and_never_goes_on()
    {
        var epoch = await KeepAsync(Key, expirySeconds: uint.MaxValue, sent: 1);
        var taken = (await Store.EndAsync(Key, epoch, Noon))!;
        Reopen();

        Assert.That(taken.Epoch, Is.GreaterThan(epoch));
        Assert.That((taken.SentSequence, taken.Queued), Is.EqualTo((1L, 3)));
        Assert.That(Text(await Store.FindAsync(Key)), Is.EqualTo(Text(taken)));
        Assert.That((await EnqueueAsync(Key, 9)).Single().Outcome, Is.EqualTo(EnqueueOutcome.NoSession));
        var early = await Store.OpenAsync(Key, false, 60, Noon.AddYears(-1));
        Assert.That((early.IsPresent, early.Ended?.Queued), Is.EqualTo((false, 3)), "whatever a clock says");
    }

    [Test]
    public async Task One_alone_has_what_is_left()
    {
        var epoch = await KeepAsync(Key, expirySeconds: 60, sent: 0);
        var first = (await Store.EndAsync(Key, epoch, Noon))!.Epoch;
        Assert.That(await Store.EndAsync(Key, epoch, Noon), Is.Null, "somebody was faster");
        Assert.That(await Store.EndAsync(new SessionKey("d", "none"), epoch, Noon), Is.Null);
        var second = (await Store.EndAsync(Key, first, Noon))!.Epoch;

        Assert.That(await Store.RemoveAsync(Key, first, [1]), Is.False);
        Assert.That(await Store.ForgetAsync(Key, first), Is.False);
        Assert.That(await NumbersAsync(0, 10, long.MaxValue), Is.EqualTo(new[] { 1, 2, 3 }));
        Assert.That(await Store.RemoveAsync(Key, second, [1]));
        Assert.That(await NumbersAsync(0, 10, long.MaxValue), Is.EqualTo(new[] { 2, 3 }));
        Assert.That(await Store.ForgetAsync(Key, second));
        Assert.That(await Store.FindAsync(Key), Is.Null);
        Assert.That(await Store.ForgetAsync(Key, second), Is.False);
    }

    [Test]
    public async Task What_a_taker_that_died_leaves_is_swept_again()
    {
        var epoch = await KeepAsync(Key, expirySeconds: 10, sent: 2);
        Assert.That(await SweptAsync(9), Is.Empty);
        var swept = (await SweptAsync(10)).Single();
        Assert.That((swept.Epoch, swept.SentSequence, swept.Queued), Is.EqualTo((epoch, 2L, 3)));
        Assert.That(await SweptAsync(39), Is.Empty, "it is somebody's");
        Reopen();
        swept = (await SweptAsync(40)).Single();
        Assert.That((swept.SentSequence, swept.Queued), Is.EqualTo((2L, 3)));

        var taken = (await Store.EndAsync(Key, swept.Epoch, Noon.AddSeconds(60)))!;
        Assert.That(await Store.RemoveAsync(Key, taken.Epoch, [1, 2, 3]));
        Assert.That(await SweptAsync(89), Is.Empty, "taking it holds it anew");
        Assert.That((await SweptAsync(90)).Single().Queued, Is.Zero);
        Assert.That(await Store.FindAsync(Key), Is.Null, "nothing is left, and so it is gone at once");
        Assert.That(await SweptAsync(1_000), Is.Empty);
    }

    [Test]
    public async Task Of_a_connection_that_was_there_any_message_may_have_been_sent_and_it_saves_nothing_more()
    {
        var epoch = (await Store.OpenAsync(Key, false, 60, Noon)).Session.Epoch;
        await EnqueueSharedAsync(Key, 1, 2);
        var ended = (await Store.DeleteOfDeviceAsync("d", Noon)).Single();
        Assert.That((ended.IsConnected, ended.Queued), Is.EqualTo((true, 2)));

        var closed = await Store.CloseAsync(Key, epoch, new SessionClosure(InboundExchanges.None, 1, 60), Noon);
        Assert.That(closed.IsOwner, Is.False);
        var taken = (await Store.EndAsync(Key, epoch, Noon))!;
        Assert.That((taken.IsConnected, taken.SentSequence), Is.EqualTo((false, 2L)));
        Assert.That(taken.ExpiresAt, Is.EqualTo(DateTimeOffset.UnixEpoch));
    }

    [Test]
    public async Task Sessions_of_a_device_that_leave_nothing_shared_are_gone_and_those_held_are_told_once()
    {
        var plain = new SessionKey("d", "plain");
        await Store.OpenAsync(plain, false, 60, Noon);
        await EnqueueAsync(plain, 1);
        var epoch = await KeepAsync(Key, expirySeconds: 60, sent: 0);

        Assert.That((await Store.DeleteOfDeviceAsync("d", Noon)).Select(s => s.Key), Is.EqualTo(new[] { Key, plain }));
        Assert.That((await Store.OfDeviceAsync("d")).Select(s => s.Key), Is.EqualTo(new[] { Key }));
        Assert.That(await Store.DeleteOfDeviceAsync("d", Noon.AddSeconds(29)), Is.Empty);
        Assert.That((await Store.DeleteOfDeviceAsync("d", Noon.AddSeconds(30))).Single().Epoch, Is.EqualTo(epoch));
    }

    /// <summary>A session whose device is away, with three messages of a share.</summary>
    private async Task<long> KeepAsync(SessionKey key, uint expirySeconds, long sent)
    {
        var epoch = (await Store.OpenAsync(key, false, expirySeconds, Noon)).Session.Epoch;
        await EnqueueSharedAsync(key, 1, 2, 3);
        await Store.CloseAsync(key, epoch, new SessionClosure(InboundExchanges.None, sent, expirySeconds), Noon);
        return epoch;
    }

    private async Task<IReadOnlyList<StoredSession>> SweptAsync(int seconds) =>
        (await Store.SweepAsync(Noon.AddSeconds(seconds), 10)).Ended;

    private async Task EnqueueSharedAsync(SessionKey key, params int[] numbers) =>
        await Store.EnqueueAsync([.. numbers.Select(n => Shared(key, n))], Noon);

    private static SessionMessage Shared(SessionKey key, int n) =>
        new(key, Message(n) with { Source = null, Share = Share }, Roomy);
}
