using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Stores.Checkpoints;
using Millrace.TestKit;
using Millrace.TestKit.Network;

namespace Millrace.Contract.Tests.Stores;

/// <summary>A checkpoint whose save had no answer, and reaches the node after the ones that were saved since.</summary>
public sealed class CassandraLateSaveTests
{
    private static readonly CheckpointKey Key = new("q", 1, 3);
    private static readonly TopicPartition Input = new(Topics.Telemetry, 3);

    [Test]
    public async Task What_was_saved_since_stays()
    {
        var servers = await CassandraNode.ServersAsync();
        await using var proxy = new BreakableProxy(servers.ContactPoints.Split(',')[0], servers.Port);
        using var direct = new CassandraAdapter();
        using var slow = new CassandraAdapter(changeCassandra: options =>
        {
            options.Port = proxy.Port;
            options.RequestTimeout = TimeSpan.FromSeconds(5);
        });
        var (store, behind) = (direct.Get<ICheckpointStore>(), slow.Get<ICheckpointStore>());
        var epoch = await behind.RaiseEpochAsync(Key);
        Assert.That(await behind.SaveAsync(Key, epoch, At(10)), Is.True);

        // Of a save, only the statement that moves the pointer has the name of the input.
        proxy.HoldAt("telemetry"u8.ToArray());
        Assert.That(async () => await behind.SaveAsync(Key, epoch, At(20)), Throws.TypeOf<MillraceException>());
        Assert.That(proxy.IsHolding, Is.True);
        Assert.That(await store.SaveAsync(Key, epoch, At(30)), Is.True);
        proxy.LetGoOn();

        // What is said behind it on its connection is answered, so that it has arrived.
        await Eventually.TrueAsync(async () => await FoundAsync(behind) is not null, "it has arrived");
        for (var round = 0; round < 10; round++)
        {
            Assert.That(await store.AddMarkAsync(Key, epoch, new TimeMark(Input, 30, round)), Is.True);
            Assert.That(await FoundAsync(store), Is.EqualTo((30, 30)));
        }
    }

    /// <summary>The offset that was saved last, and the one that its state names; null when the store does not
    /// answer.</summary>
    private static async Task<(long Input, long State)?> FoundAsync(ICheckpointStore store)
    {
        try
        {
            var found = (await store.FindAsync(Key))!;
            return (found.Inputs.Single().Offset, found.State[0]);
        }
        catch (MillraceException)
        {
            return null;
        }
    }

    private static Checkpoint At(byte offset) =>
        new([new PartitionOffset(Input, offset)], [], [offset], DateTimeOffset.UnixEpoch);
}
