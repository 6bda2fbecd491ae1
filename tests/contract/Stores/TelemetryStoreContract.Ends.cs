using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.Telemetry;

namespace Millrace.Contract.Tests.Stores;

/// <summary>What stays of a device that was deleted.</summary>
public abstract partial class TelemetryStoreContract
{
    [Test]
    public async Task A_deleted_device_has_no_latest_value_and_its_rows_stay()
    {
        await Store.WriteAsync(Partition(2), [Sent("gone", 1, "g1"), Sent("other", 2, "g9")], new SinkPosition(3));
        await Store.ForgetAsync([new DeviceEnd("gone", "g1", 5_000), new DeviceEnd("never-sent", "g2", 5_000)]);

        Assert.That(await Store.LatestAsync("gone"), Is.Null);
        Assert.That(await Store.LatestAsync("never-sent"), Is.Null);
        Assert.That((await Store.LatestManyAsync(["gone", "other"])).Select(row => row.DeviceId),
            Is.EqualTo(new[] { "other" }));
        Assert.That((await Store.QueryAsync(new TelemetryRange("gone"))).Items.Select(row => row.Offset),
            Is.EqualTo(new[] { 1L }));
        Reopen();
        Assert.That(await Store.LatestAsync("gone"), Is.Null);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task What_comes_late_of_a_deleted_device_is_stored_and_is_no_latest_value(bool sentBefore)
    {
        if (sentBefore) await Store.WriteAsync(Partition(2), [Sent("d", 1, "g1")], new SinkPosition(2));
        await Store.ForgetAsync([new DeviceEnd("d", "g1", 5_000)]);
        Reopen();

        // Of its generation, enqueued after it was deleted; of none that is named, enqueued before.
        await Store.WriteAsync(Partition(2), [Sent("d", 6_000, "g1"), Sent("d", 4_000, null)], new SinkPosition(6_001));
        await Store.WriteAsync(Partition(2), [Sent("d", 1, "g1")], new SinkPosition(2));
        Assert.That(await Store.LatestAsync("d"), Is.Null);
        Assert.That((await Store.QueryAsync(new TelemetryRange("d"))).Items, Has.Count.EqualTo(3));

        await Store.WriteAsync(Partition(2), [Sent("d", 7_000, null)], new SinkPosition(7_001));
        Assert.That((await Store.LatestAsync("d"))!.Offset, Is.EqualTo(7_000), "from elsewhere, and later");
    }

    [Test]
    public async Task A_device_that_is_made_anew_has_its_own_latest_value_whatever_is_replayed()
    {
        var (first, second) = (new DeviceEnd("d", "g1", 5_000), new DeviceEnd("d", "g2", 7_000));
        await Store.WriteAsync(Partition(2), [Sent("d", 1, "g1")], new SinkPosition(2));
        await Store.ForgetAsync([first]);
        await Store.WriteAsync(Partition(2), [Sent("d", 6_000, "g2")], new SinkPosition(6_001));
        await Store.ForgetAsync([first]);
        await Store.WriteAsync(Partition(2), [Sent("d", 1, "g1")], new SinkPosition(2));
        Assert.That((await Store.LatestAsync("d"))!.Offset, Is.EqualTo(6_000));

        await Store.ForgetAsync([second]);
        await Store.ForgetAsync([first]);
        Reopen();
        await Store.WriteAsync(Partition(2), [Sent("d", 6_500, "g2"), Sent("d", 4_500, "g1")], new SinkPosition(6_501));
        Assert.That(await Store.LatestAsync("d"), Is.Null, "the later end holds, whichever was told last");
        await Store.WriteAsync(Partition(2), [Sent("d", 8_000, "g3")], new SinkPosition(8_001));
        Assert.That((await Store.LatestAsync("d"))!.GenerationId, Is.EqualTo("g3"));
    }

    [Test]
    public async Task A_device_whose_generation_is_not_known_any_more_is_told_by_the_time()
    {
        await Store.WriteAsync(Partition(2), [Sent("d", 4_000, "g1")], new SinkPosition(4_001));
        await Store.ForgetAsync([new DeviceEnd("d", null, 5_000)]);
        Assert.That(await Store.LatestAsync("d"), Is.Null);
        await Store.WriteAsync(Partition(2), [Sent("d", 6_000, "g1")], new SinkPosition(6_001));
        Assert.That((await Store.LatestAsync("d"))!.Offset, Is.EqualTo(6_000));
    }

    /// <summary>A row whose offset is its time, too.</summary>
    protected static TelemetryMessage Sent(string device, long at, string? generation) =>
        Message(device, at, at) with { EnqueuedAtMs = at, GenerationId = generation };
}
