using Millrace.Contracts;
using Millrace.Stores.Checkpoints;

namespace Millrace.Contract.Tests.Stores;

public class CheckpointStoreTests
{
    private static readonly CheckpointKey Key = new("q", 1, 3);
    private static readonly TopicPartition Input = new(Topics.Telemetry, 3);

    private StoreFixture _stores = null!;
    private ICheckpointStore _store = null!;

    [SetUp]
    public void Open() => _store = (_stores = new StoreFixture()).Get<ICheckpointStore>();

    [TearDown]
    public void Close() => _stores.Dispose();

    [Test]
    public async Task An_older_owner_can_neither_save_nor_mark()
    {
        var older = await _store.RaiseEpochAsync(Key);
        var newer = await _store.RaiseEpochAsync(Key);

        Assert.That(newer, Is.GreaterThan(older));
        Assert.That(await _store.SaveAsync(Key, newer, At(10)), Is.True);
        Assert.That(await _store.SaveAsync(Key, older, At(20)), Is.False);
        Assert.That(await _store.AddMarkAsync(Key, older, new TimeMark(Input, 30, 1)), Is.False);
        Assert.That((await _store.FindAsync(Key))!.Inputs.Single().Offset, Is.EqualTo(10));
        Assert.That(await _store.MarksAsync(Key), Is.Empty);
    }

    [Test]
    public async Task Epochs_of_racing_owners_are_all_different()
    {
        var epochs = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _store.RaiseEpochAsync(Key).AsTask()));
        Assert.That(epochs, Is.Unique);
    }

    [Test]
    public async Task A_checkpoint_comes_back_after_a_restart_with_the_marks_that_it_does_not_cover()
    {
        var epoch = await _store.RaiseEpochAsync(Key);
        foreach (var offset in new[] { 5L, 10, 12 }) await _store.AddMarkAsync(Key, epoch, new TimeMark(Input, offset, 7));
        await _store.SaveAsync(Key, epoch, At(10));
        _stores.Reopen();
        _store = _stores.Get<ICheckpointStore>();

        var found = (await _store.FindAsync(Key))!;
        Assert.That(found.State, Is.EqualTo(new byte[] { 9, 8 }));
        Assert.That(found.Outputs, Is.EqualTo(new[] { new PartitionOffset(new TopicPartition("alerts", 3), 4) }));
        Assert.That((await _store.MarksAsync(Key)).Select(m => m.Offset), Is.EqualTo(new[] { 10L, 12L }));
    }

    [Test]
    public async Task Deleting_a_query_leaves_nothing_that_its_owner_could_bring_back()
    {
        var epoch = await _store.RaiseEpochAsync(Key);
        await _store.SaveAsync(Key, epoch, At(10));
        await _store.DeleteAsync(Key.Query, Key.Version);

        Assert.That(await _store.FindAsync(Key), Is.Null);
        Assert.That(await _store.SaveAsync(Key, epoch, At(20)), Is.False);
    }

    private static Checkpoint At(long offset) => new([new PartitionOffset(Input, offset)],
        [new PartitionOffset(new TopicPartition("alerts", 3), 4)], [9, 8], DateTimeOffset.UnixEpoch);
}
