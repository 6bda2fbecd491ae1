using Millrace.Mqtt;
using Millrace.Stores;
using Millrace.Stores.Sessions;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>A session store, or a log, that fails for a while.</summary>
public class SessionFaultTests
{
    private const string Filter = "devices/pump-1/#";
    private static readonly SessionAsk Kept = new(Clean: false, Expiry: 600);
    private static readonly SessionKey Key = new("pump-1", "pump-1");

    private GatewayHost _host = null!;
    private HeardSessions _sessions = null!;
    private volatile string _fails = "";
    private long _failed;

    /// <summary>The store itself: the test does not hear of its own calls.</summary>
    private ISessionStore Inner => _sessions.Inner;

    [SetUp]
    public async Task StartAsync()
    {
        _host = await GatewayHost.StartChangedAsync(
            services => HeardSessions.Add(services, made => _sessions = made),
            SpaceSettings.With(("Gateway:Sessions:NodeTimeout", "00:00:01")));
        await _host.AddDeviceAsync("pump-1");
        await _host.AddDeviceAsync("pump-2");
        (_fails, _failed) = ("", 0);
        _sessions.Calling = Fail;
    }

    [TearDown]
    public async Task StopAsync()
    {
        _fails = "";
        await _host.DisposeAsync();
    }

    [Test]
    public async Task A_message_comes_once_to_a_session_in_memory_while_the_store_takes_none()
    {
        using var kept = await SubscribedAsync("kept", Kept);
        using var brief = await SubscribedAsync("brief", ask: null);
        _fails = nameof(ISessionStore.EnqueueAsync);

        await _host.SendAsync("pump-1", "go");
        await FailedAsync(2);
        _fails = "";

        Assert.That((await kept.ReadMessageAsync()).Body, Is.EqualTo("go"));
        await ComesOnceAsync(brief);
    }

    [Test]
    public async Task What_cannot_go_on_to_a_member_of_a_group_while_the_store_takes_none_is_counted()
    {
        const string Shared = "$share/g/open/a";
        using var brief = await RawClient.LoginAsync(_host, "pump-1", ask: new(Clean: true, ReceiveMaximum: 1));
        await brief.SubscribeAsync(Shared, 1);
        await brief.ReadAsync();
        using var kept = await RawClient.LoginAsync(_host, "pump-2", ask: Kept);
        for (ushort i = 1; i <= 3; i++)
        {
            await kept.PublishAsync("open/a", $"{i}", i);
            await kept.ReadAckAsync();
        }

        await kept.SubscribeAsync(Shared, 1);
        await kept.ReadAsync();
        _fails = nameof(ISessionStore.EnqueueAsync);
        brief.Dispose();

        await Eventually.TrueAsync(() => _host.Meters["deliveries.lost/connection-ended"] == 3, "counted");
    }

    [Test]
    public async Task What_a_kept_session_leaves_to_its_group_stays_while_the_store_takes_none()
    {
        using var kept = await LeaveSharedAsync(qos: 1);
        _fails = nameof(ISessionStore.EnqueueAsync);
        Assert.CatchAsync(() => RawClient.LoginAsync(_host, "pump-1", ask: new(Clean: true)));
        _fails = "";
        using var anew = await RawClient.LoginAsync(_host, "pump-1", ask: new(Clean: true));

        Assert.That(await BodiesAsync(kept, 3), Is.EqualTo(["1", "2", "3"]));
        Assert.That(_host.Meters["deliveries/passed-on"], Is.EqualTo(3));
        Assert.That(_host.Meters["deliveries.lost/session-ended"], Is.Zero);
    }

    [Test]
    public async Task A_session_of_which_a_message_cannot_be_read_ends_all_the_same()
    {
        using var kept = await LeaveSharedAsync(qos: 1);
        _sessions.Calling = name =>
        {
            if (name == nameof(ISessionStore.QueueAsync)) throw StoreErrors.RowDamaged.With("test").AsException();
        };
        using var anew = await RawClient.LoginAsync(_host, "pump-1", ask: new(Clean: true));

        Assert.That(await _host.Sessions.FindAsync(Key), Is.Null);
        Assert.That(_host.Meters["deliveries.lost/session-ended"], Is.EqualTo(3));
    }

    [Test]
    public async Task A_session_that_began_where_one_had_expired_is_not_ended_for_what_that_left()
    {
        using var kept = await LeaveSharedAsync(qos: 1);
        var looks = 0;
        _sessions.Calling = name =>
        {
            if (name == nameof(ISessionStore.SweepAsync)) throw new IOException("test");
            if (name == nameof(ISessionStore.FindAsync) && ++looks == 2) OpenElsewhereAsync().Wait();
        };
        await _host.Sessions.CloseAsync(
            Key, (await Inner.FindAsync(Key))!.Epoch, SessionClosure.End(dropsWill: true), DateTimeOffset.UtcNow);
        using var client = await RawClient.LoginAsync(_host, "pump-1", ask: Kept);

        Assert.That(looks, Is.GreaterThanOrEqualTo(2));
        Assert.That(client.IsPresent);
        Assert.That((await client.ReadMessageAsync()).Body, Is.EqualTo("new"));

        async Task OpenElsewhereAsync()
        {
            await Inner.OpenAsync(Key, false, 600, DateTimeOffset.UtcNow);
            var message = new OutboundMessage("open/a", 1, false, [], "new"u8.ToArray(), null, null, [])
            {
                Share = "$share/g/open/a",
            };
            await Inner.EnqueueAsync([new(Key, message, new(5, 1_000))], DateTimeOffset.UtcNow);
        }
    }

    [Test]
    public async Task Of_two_who_empty_a_session_only_the_later_hands_on_what_is_of_qos_2()
    {
        using var kept = await LeaveSharedAsync(qos: 2);
        _sessions.Calling = name =>
        {
            if (name != nameof(ISessionStore.RemoveAsync) || Interlocked.Increment(ref _failed) > 1) return;
            var taken = Inner.FindAsync(Key).AsTask().Result!;
            _ = Inner.EndAsync(Key, taken.Epoch, DateTimeOffset.UtcNow).AsTask().Result;
        };
        using var anew = await RawClient.LoginAsync(_host, "pump-1", ask: new(Clean: true));

        Assert.That(await BodiesAsync(kept, 3), Is.EqualTo(["1", "2", "3"]));
        Assert.That(await kept.StaysSilentAsync());
        Assert.That(_host.Meters["deliveries/passed-on"], Is.EqualTo(3));
        Assert.That(_host.Meters["deliveries.lost/session-ended"], Is.Zero);
    }

    [Test]
    public async Task A_message_comes_once_while_the_log_keeps_no_positions()
    {
        using var brief = await SubscribedAsync("brief", ask: null);
        _host.Log.RefuseCommits(true);

        await _host.SendAsync("pump-1", "go");
        await Eventually.TrueAsync(() => _host.Log.CommitsRefused >= 2, "it is tried again");
        _host.Log.RefuseCommits(false);

        await ComesOnceAsync(brief);
    }

    [Test]
    public async Task An_end_that_cannot_be_saved_is_saved_later_and_the_will_is_published()
    {
        _fails = nameof(ISessionStore.CloseAsync);
        using (await RawClient.LoginAsync(_host, "pump-1", will: "devices/pump-1/messages/events/", ask: Kept))
        {
        }

        await FailedAsync(2);
        Assert.That((await _host.Sessions.FindAsync(Key))!.IsConnected);
        Assert.That(await _host.TelemetryAsync("pump-1"), Is.Empty);
        _fails = "";

        await AwayAsync();
        Assert.That((await _host.TelemetryAsync(1)).Single().Body, Is.EqualTo("the will"));
    }

    [Test]
    public async Task An_end_that_cannot_be_saved_keeps_no_session_from_expiring()
    {
        using (await RawClient.LoginAsync(_host, "pump-2", ask: new SessionAsk(Clean: false, Expiry: 2)))
        {
        }

        await Eventually.TrueAsync(async () =>
            await _host.Sessions.FindAsync(new SessionKey("pump-2", "pump-2")) is { IsConnected: false }, "it is away");
        _fails = nameof(ISessionStore.CloseAsync);
        using (await RawClient.LoginAsync(_host, "pump-1", ask: Kept))
        {
        }

        await FailedAsync(2);
        await Eventually.TrueAsync(() => _host.Meters["sessions.ended/expired"] == 1, "it expires");
        Assert.That((await _host.Sessions.FindAsync(Key))!.IsConnected);
    }

    [Test]
    public async Task A_session_that_the_log_could_not_complete_is_left_as_it_was()
    {
        _fails = nameof(ISessionStore.CloseAsync);
        using (var first = await RawClient.LoginAsync(_host, "pump-1", ask: Kept))
        {
            await first.PublishTwiceSafeAsync("one", packetId: 7);
            await first.ExpectAsync(PacketType.PubRec);
        }

        await FailedAsync(1);
        _host.Log.RefuseToSettle(true);
        using (var second = await RawClient.OpenAsync(_host))
        {
            await second.ConnectAsync("pump-1", GatewayHost.Key, ask: Kept);
            Assert.That(await second.ReadEndAsync(), Is.Null);
        }

        _fails = "";
        await AwayAsync();
        _host.Log.RefuseToSettle(false);
        using var third = await RawClient.LoginAsync(_host, "pump-1", ask: Kept);
        Assert.That(third.IsPresent);
        await third.PublishTwiceSafeAsync("one", packetId: 7, again: true);
        await third.ExpectAsync(PacketType.PubRec);
        Assert.That((await _host.TelemetryAsync("pump-1")).Select(each => each.Body), Is.EqualTo(new[] { "one" }));
    }

    [Test]
    public async Task A_qos_2_publish_to_a_space_that_fails_half_way_is_delivered_once()
    {
        using var receiver = await RawClient.LoginAsync(_host, "pump-2", ask: Kept);
        await SubscribeAsync(receiver, "open/#");
        using var member = await RawClient.LoginAsync(_host, "pump-2", clientId: "gone", ask: Kept);
        await SubscribeAsync(member, "$share/g/open/#");
        using (var other = await RawClient.LoginAsync(_host, "pump-2", clientId: "away", ask: Kept))
            await SubscribeAsync(other, "$share/g/open/#");
        await Eventually.TrueAsync(() => _host.Meters["connections"] == 2, "away");

        // The one whose turn it is has no session any more: the copy goes on to the other, and that fails.
        await _host.Sessions.BeginAsync(new SessionKey("pump-2", "gone"), DateTimeOffset.UtcNow);
        _fails = nameof(ISessionStore.EnqueueAsync);
        using (var first = await RawClient.LoginAsync(_host, "pump-1", ask: Kept))
        {
            await first.SendAsync(target => first.Publish(target, "open/a", "once", packetId: 8, qos: 2));
            Assert.That(await first.ReadEndAsync(), Is.Not.Null);
        }

        await AwayAsync();
        _fails = "";
        using var second = await RawClient.LoginAsync(_host, "pump-1", ask: Kept);
        await second.SendAsync(target => second.Publish(target, "open/a", "once", packetId: 8, qos: 2, again: true));
        Assert.That(await second.ExpectAsync(PacketType.PubRec), Is.EqualTo((8, ReasonCode.Success)));
        await second.SendAsync(target => second.Publish(target, "open/a", "next", packetId: 9));
        await second.ReadAckAsync();

        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("once"));
        Assert.That((await receiver.ReadMessageAsync()).Body, Is.EqualTo("next"));
    }

    [Test]
    public async Task A_gateway_is_heard_of_while_it_looks_after_what_others_left()
    {
        using var held = new ManualResetEventSlim();
        var renewals = 0;
        var looks = 0;
        _sessions.Calling = name =>
        {
            if (name == nameof(ISessionStore.RenewAsync)) Interlocked.Increment(ref renewals);
            if (name != nameof(ISessionStore.ListLeftAsync)) return;
            Interlocked.Increment(ref looks);
            held.Wait();
        };

        await Eventually.TrueAsync(() => Volatile.Read(ref looks) > 0, "it looks");
        var before = Volatile.Read(ref renewals);
        var lookedMeanwhile = 0;
        await Eventually.TrueAsync(() => Volatile.Read(ref renewals) > before + 3, "it renews its lease meanwhile")
            .ContinueWith(done =>
            {
                lookedMeanwhile = Volatile.Read(ref looks);
                held.Set();
                return done;
            }, TaskScheduler.Default).Unwrap();
        Assert.That(lookedMeanwhile, Is.EqualTo(1));
    }

    /// <summary>Three messages in the session of a device that is away; returns another member of its group.</summary>
    private async Task<RawClient> LeaveSharedAsync(int qos)
    {
        const string Shared = "$share/g/open/a";
        using (var first = await RawClient.LoginAsync(_host, "pump-1", ask: Kept))
        {
            await first.SubscribeAsync(Shared, (byte)qos);
            await first.ReadAsync();
        }

        await AwayAsync();
        var other = await RawClient.LoginAsync(_host, "pump-2", ask: Kept);
        for (ushort i = 1; i <= 3; i++)
        {
            await other.SendAsync(target => other.Publish(target, "open/a", $"{i}", packetId: i, qos: qos));
            if (qos == 1) await other.ReadAckAsync();
            else await other.ExpectAsync(PacketType.PubRec);
        }

        await other.SubscribeAsync(Shared, (byte)qos);
        await other.ReadAsync();
        return other;
    }

    private static async Task<List<string>> BodiesAsync(RawClient client, int count)
    {
        var bodies = new List<string>();
        while (bodies.Count < count) bodies.Add((await client.ReadMessageAsync()).Body);
        return bodies;
    }

    private void Fail(string call)
    {
        if (call != _fails) return;
        Interlocked.Increment(ref _failed);
        throw new IOException("test");
    }

    private Task FailedAsync(int times) =>
        Eventually.TrueAsync(() => Interlocked.Read(ref _failed) >= times, "it is tried");

    private Task AwayAsync() => Eventually.TrueAsync(
        async () => await _host.Sessions.FindAsync(Key) is { IsConnected: false }, "the session is closed");

    private async Task ComesOnceAsync(RawClient client)
    {
        await _host.SendAsync("pump-1", "next");
        Assert.That((await client.ReadMessageAsync()).Body, Is.EqualTo("go"));
        Assert.That((await client.ReadMessageAsync()).Body, Is.EqualTo("next"));
    }

    private async Task<RawClient> SubscribedAsync(string clientId, SessionAsk? ask)
    {
        var client = await RawClient.LoginAsync(_host, "pump-1", clientId: clientId, ask: ask);
        await SubscribeAsync(client, Filter);
        return client;
    }

    private static async Task SubscribeAsync(RawClient client, string filter)
    {
        await client.SubscribeAsync(filter, 1);
        Assert.That(await client.ReadAsync(), Is.EqualTo(new byte[] { 0x90, 4, 0, 77, 0, 1 }));
    }
}
