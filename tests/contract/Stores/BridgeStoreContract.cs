using Millrace.Stores.Bridges;

namespace Millrace.Contract.Tests.Stores;

public abstract class BridgeStoreContract : StoreContract<IBridgeStore>
{
    [Test]
    public async Task A_session_comes_back_whole_after_a_restart()
    {
        Assert.That(await Store.FindSessionAsync("plant", "a"), Is.Null);
        await Store.SaveSessionAsync(Session("a", "first", 7));
        await Store.SaveSessionAsync(Session("a", "second", 9));
        await Store.SaveSessionAsync(Session("b", "other", 1));
        Reopen();

        var found = (await Store.FindSessionAsync("plant", "a"))!;
        Assert.That((found.SessionId, found.NextExchange), Is.EqualTo(("second", 9L)));
        Assert.That(found.Open, Is.EqualTo(Session("a", "second", 9).Open));
        Assert.That(found.Offsets, Is.EqualTo(new[] { 9L, 0L }));
        Assert.That((await Store.FindSessionAsync("plant", "b"))!.SessionId, Is.EqualTo("other"));
        Assert.That(await Store.FindSessionAsync("other", "a"), Is.Null);
    }

    [Test]
    public async Task The_last_status_of_each_is_listed_in_order_and_old_ones_are_left_out()
    {
        await Store.WriteStatusAsync(Status("plant", "b", 1, Noon));
        await Store.WriteStatusAsync(Status("plant", "a", 1, Noon));
        await Store.WriteStatusAsync(Status("plant", "a", 2, Noon.AddMinutes(1)));
        await Store.WriteStatusAsync(Status("city", "z", 3, Noon.AddHours(-2)));

        Assert.That(await Store.ListStatusAsync(Noon.AddHours(-1)), Is.EqualTo(new[]
        {
            Status("plant", "a", 2, Noon.AddMinutes(1)), Status("plant", "b", 1, Noon),
        }));
    }

    protected static BridgeSession Session(string client, string id, long next) => new(
        "plant", client, id, next, [new OpenExchange(65_535, next - 1, true), new OpenExchange(1, next, false)],
        [next, 0]);

    private static BridgeStatus Status(string name, string client, long received, DateTimeOffset at) => new(
        name, client, "mqtt://broker:1883", true, Noon, "GW-0104: gone", Noon, received, 2, 3, 4, 5, 6, 7, at);
}
