using Millrace.Stores.Sessions;

namespace Millrace.Contract.Tests.Stores;

public abstract partial class SessionStoreContract
{
    private static readonly StoredWill AtOnce = new("w/ü", 2, true, [1, 2], [3], DelaySeconds: 0);
    private static readonly StoredWill Later = AtOnce with { DelaySeconds = 20 };

    [Test]
    public async Task After_a_crash_a_will_waits_or_is_due_whether_its_session_is_kept_or_not()
    {
        var (kept, brief) = (new SessionKey("d", "kept"), new SessionKey("d", "brief"));
        var first = (await Store.BeginAsync(brief, Noon, Later)).Epoch;
        var second = (await Store.OpenAsync(kept, false, 60, Noon, Later)).Session.Epoch;
        Reopen();
        Assert.That((await Store.SweepAsync(Noon.AddHours(1), 9)).Wills, Is.Empty, "connected, for all it knows");

        await Store.LeaveWillsAsync(Noon, Noon, own: true);
        Assert.That(await WillsAsync(0), Is.EqualTo(Text(new DueWill(brief, first, Later))));
        Assert.That(await WillsAsync(20), Is.EqualTo(Text(new DueWill(kept, second, Later))));
    }

    [Test]
    public async Task Wills_of_a_node_are_left_when_it_is_not_heard_of_any_more()
    {
        await Store.RenewAsync("r", Noon);
        var epoch = (await Store.BeginAsync(Key, Noon, AtOnce)).Epoch;
        await Store.LeaveWillsAsync(Noon, heardSince: Noon, own: false);
        Assert.That(await WillsAsync(0), Is.Empty);
        await Store.LeaveWillsAsync(Noon, heardSince: Noon.AddMilliseconds(1), own: false);
        Assert.That(await WillsAsync(0), Is.EqualTo(Text(new DueWill(Key, epoch, AtOnce))));
        await Store.LeaveWillsAsync(Noon, heardSince: Noon.AddMilliseconds(1), own: false);
        Assert.That(await WillsAsync(0), Is.Empty, "whoever has it publishes it");
    }

    [Test]
    public async Task A_will_is_handed_out_again_until_it_is_said_to_be_published()
    {
        var epoch = (await Store.OpenAsync(Key, false, 60, Noon, AtOnce)).Session.Epoch;
        var closed = await Store.CloseAsync(Key, epoch, new SessionClosure(InboundExchanges.None, 0, 60), Noon);
        var due = new DueWill(Key, epoch, AtOnce);
        Assert.That(Text(closed), Is.EqualTo(Text(new ClosedSession(true, due))));
        Reopen();

        Assert.That(await WillsAsync(29), Is.Empty);
        Assert.That(await WillsAsync(30), Is.EqualTo(Text(due)), "whoever had it is gone");
        await Store.LeaveWillsAsync(Noon.AddSeconds(31), Noon.AddSeconds(31), own: true);
        Assert.That(await WillsAsync(31), Is.EqualTo(Text(due)), "the gateway is");
        await Store.RemoveWillsAsync([due]);
        Reopen();
        Assert.That(await WillsAsync(3600), Is.Empty);
    }

    [Test]
    public async Task Who_takes_a_session_over_has_the_will_of_the_one_before_and_that_one_has_nothing()
    {
        var older = (await Store.OpenAsync(Key, false, 60, Noon, AtOnce)).Session.Epoch;
        var newer = await Store.OpenAsync(Key, false, 60, Noon, Later);
        Assert.That(Text(newer.Wills), Is.EqualTo(Text(new[] { new DueWill(Key, older, AtOnce) })));

        var closure = new SessionClosure(InboundExchanges.None, 0, 60);
        Assert.That(await Store.CloseAsync(Key, older, closure, Noon), Is.EqualTo(default(ClosedSession)));
        var newest = await Store.OpenAsync(Key, false, 60, Noon);
        Assert.That((newest.IsPresent, newest.Wills.Count), Is.EqualTo((true, 0)), "in time: dropped");
        await Store.LeaveWillsAsync(Noon, Noon, own: true);
        Assert.That(await WillsAsync(20), Is.EqualTo(Text(new DueWill(Key, older, AtOnce))), "was not published");
    }

    [Test]
    public async Task A_session_that_goes_on_does_not_take_back_a_will_that_is_being_published()
    {
        var epoch = (await Store.OpenAsync(Key, false, 60, Noon, AtOnce)).Session.Epoch;
        await Store.CloseAsync(Key, epoch, new SessionClosure(InboundExchanges.None, 0, 60), Noon);
        var opened = await Store.OpenAsync(Key, false, 60, Noon);

        Assert.That((opened.IsPresent, opened.Wills.Count), Is.EqualTo((true, 0)));
        Assert.That(await WillsAsync(30), Is.EqualTo(Text(new DueWill(Key, epoch, AtOnce))));
    }

    [Test]
    public async Task The_end_of_a_session_makes_its_will_due()
    {
        var epoch = (await Store.OpenAsync(Key, false, 60, Noon, Later)).Session.Epoch;
        await Store.CloseAsync(Key, epoch, new SessionClosure(InboundExchanges.None, 0, 60), Noon);
        var begun = await Store.BeginAsync(Key, Noon.AddSeconds(1));

        Assert.That(Text(begun.Wills), Is.EqualTo(Text(new[] { new DueWill(Key, epoch, Later) })));
        Assert.That(begun.Ended!.Epoch, Is.EqualTo(epoch));
    }

    /// <summary>What is handed out so long after noon.</summary>
    private async Task<string> WillsAsync(int seconds) =>
        string.Join(", ", (await Store.SweepAsync(Noon.AddSeconds(seconds), 9)).Wills.Select(Text));
}
