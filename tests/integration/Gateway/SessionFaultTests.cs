using Millrace.Stores.Sessions;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>A session store, or a log, that fails for a while.</summary>
public class SessionFaultTests
{
    private const string Filter = "devices/pump-1/#";
    private static readonly SessionAsk Kept = new(Clean: false, Expiry: 600);

    private GatewayHost _host = null!;
    private HeardSessions _sessions = null!;
    private volatile string _fails = "";
    private long _failed;

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
    public async Task A_message_comes_once_while_the_log_keeps_no_positions()
    {
        using var brief = await SubscribedAsync("brief", ask: null);
        _host.Log.RefuseCommits(true);

        await _host.SendAsync("pump-1", "go");
        await Eventually.TrueAsync(() => _host.Log.CommitsRefused >= 2, "it is tried again");
        _host.Log.RefuseCommits(false);

        await ComesOnceAsync(brief);
    }

    private void Fail(string call)
    {
        if (call != _fails) return;
        Interlocked.Increment(ref _failed);
        throw new IOException("test");
    }

    private Task FailedAsync(int times) =>
        Eventually.TrueAsync(() => Interlocked.Read(ref _failed) >= times, "it is tried");

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
