using CsCheck;
using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.DeviceStates;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

[Category("Samples")]
public abstract class DeviceStateStoreContract : StoreContract<IDeviceStateStore>
{
    [Test]
    public async Task The_end_of_an_older_connection_does_not_hide_the_newer_one()
    {
        await Store.WriteAsync(Partition(0),
        [
            new LifecycleEvent(LifecycleKind.Connected, "d", Noon, ConnectionId: "1"),
            new LifecycleEvent(LifecycleKind.Connected, "d", Noon.AddSeconds(1), ConnectionId: "2"),
            new LifecycleEvent(LifecycleKind.Disconnected, "d", Noon.AddSeconds(2), "taken-over", "1"),
        ], new SinkPosition(3));
        Assert.That((await Store.FindAsync("d"))!.Connected, Is.True);
        Assert.That(await Store.CountConnectedAsync(), Is.EqualTo(1));

        await Store.WriteAsync(Partition(0),
            [new LifecycleEvent(LifecycleKind.Disconnected, "d", Noon.AddSeconds(3), "keep-alive", "2")],
            new SinkPosition(4));
        Reopen();
        var state = (await Store.FindManyAsync(["d", "unknown"])).Single();
        Assert.That(state, Is.EqualTo(
            new DeviceState("d", false, Noon.AddSeconds(1), Noon.AddSeconds(3), "keep-alive", Noon.AddSeconds(3))));
        Assert.That(await Store.PositionAsync(Partition(0)), Is.EqualTo(new SinkPosition(4)));
    }

    [Test]
    public async Task A_device_that_was_deleted_has_no_state_and_gets_none_from_its_dropped_connection()
    {
        await Store.WriteAsync(Partition(0),
        [
            new LifecycleEvent(LifecycleKind.Created, "d", Noon),
            new LifecycleEvent(LifecycleKind.Connected, "d", Noon, ConnectionId: "1"),
            new LifecycleEvent(LifecycleKind.Deleted, "d", Noon.AddSeconds(1)),
            new LifecycleEvent(LifecycleKind.Disconnected, "d", Noon.AddSeconds(2), "deleted", "1"),
        ], new SinkPosition(4));
        Assert.That(await Store.FindAsync("d"), Is.Null);
        Assert.That(await Store.CountConnectedAsync(), Is.Zero);
    }

    [Test]
    public async Task The_open_connections_of_a_run_are_those_that_have_not_ended()
    {
        const int count = 1_203; // more than a page
        var position = 0;
        async Task WriteAsync(params LifecycleEvent[] events) =>
            await Store.WriteAsync(Partition(0), events, new SinkPosition(position += events.Length));
        LifecycleEvent Connected(int device, string id) =>
            new(LifecycleKind.Connected, $"d{device}", Noon, ConnectionId: id, ConnectedAt: Noon.AddSeconds(-1));

        await WriteAsync([.. Enumerable.Range(0, count).Select(i => Connected(i, $"run-{i}"))]);
        await WriteAsync(Connected(count, "run2-0"), Connected(1, "other-1"),
            new LifecycleEvent(LifecycleKind.Disconnected, "d2", Noon, "keep-alive", "run-2"),
            new LifecycleEvent(LifecycleKind.Deleted, "d3", Noon));
        var open = new List<OpenConnection>();
        await foreach (var connection in Store.OpenConnectionsAsync("run-")) open.Add(connection);
        Assert.That(open, Is.EquivalentTo(Enumerable.Range(0, count).Except([1, 2, 3])
            .Select(i => new OpenConnection($"d{i}", $"run-{i}", Noon.AddSeconds(-1)))));
    }

    [Test]
    public async Task States_are_the_fold_of_the_events_however_they_are_cut_into_writes()
    {
        var (round, next) = (0, 0L);
        var step = Gen.Select(Gen.Int[0, 2], Gen.OneOfConst(
            LifecycleKind.Connected, LifecycleKind.Disconnected, LifecycleKind.Updated, LifecycleKind.Deleted),
            Gen.Int[1, 3]);
        await Gen.Select(step.List[1, 40], Gen.Int[1, 9]).SampleAsync(async (steps, size) =>
        {
            var prefix = $"{Interlocked.Increment(ref round)}-";
            var events = steps.Select((s, i) => new LifecycleEvent(s.Item2, prefix + s.Item1, Noon.AddSeconds(i),
                s.Item2.ToString(), $"c{s.Item3}")).ToList();
            foreach (var chunk in events.Chunk(size))
                await Store.WriteAsync(Partition(0), chunk, new SinkPosition(next += chunk.Length));
            foreach (var device in events.GroupBy(e => e.DeviceId))
                if (await Store.FindAsync(device.Key) != Fold(device)) return false;
            return true;
        }, iter: Samples.Of(30), threads: 1);
    }

    private static DeviceState? Fold(IEnumerable<LifecycleEvent> events)
    {
        var (state, connection) = ((DeviceState?)null, "");
        foreach (var e in events)
        {
            if (e.Kind == LifecycleKind.Deleted) state = null;
            if (e.Kind == LifecycleKind.Connected)
            {
                state = (state ?? new DeviceState(e.DeviceId, true, null, null, null, null)) with
                {
                    Connected = true,
                    ConnectedAt = e.At,
                    LastSeenAt = e.At,
                };
                connection = e.ConnectionId!;
            }

            if (e.Kind != LifecycleKind.Disconnected || state is null || connection != e.ConnectionId) continue;
            state = state with
            {
                Connected = false,
                DisconnectedAt = e.At,
                DisconnectReason = e.Reason,
                LastSeenAt = e.At,
            };
        }

        return state;
    }
}
