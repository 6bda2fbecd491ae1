using System.Collections.Concurrent;
using Millrace.Primitives;
using Millrace.Stores.Checkpoints;

namespace Millrace.Integration.Tests.Cassandra;

/// <summary>
/// Two that want to own one place of a query, and raise its epoch by compare-and-set again and again while something
/// happens: no epoch is given twice, and what an owner has saved is there until a later one saves.
/// </summary>
internal sealed class WarmEpochs(string query)
{
    private const int Owners = 2;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly CheckpointKey _key = new(query, 1, 0);
    private readonly ConcurrentQueue<long> _raised = [];
    private readonly ConcurrentQueue<long> _saved = [];

    public Task RaiseAsync(WarmWriterRun stores, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, Owners).Select(_ => OwnAsync(stores.Checkpoints, stop)));

    public async Task AreOneOwnersEachAsync(WarmWriterRun stores)
    {
        Assert.That(_raised, Has.Count.GreaterThan(Owners).And.Unique, "epochs");
        var next = await Patient.AskAsync(() => stores.Checkpoints.RaiseEpochAsync(_key));
        Assert.That(next, Is.GreaterThan(_raised.Max()));
        var kept = await Patient.AskAsync(() => stores.Checkpoints.FindAsync(_key));
        Assert.That(kept!.Epoch, Is.GreaterThanOrEqualTo(_saved.Max()), "the last checkpoint that was acknowledged");
        Assert.That(kept.State, Is.EqualTo(BitConverter.GetBytes(kept.Epoch)), "it is whole");
        Assert.That(await Patient.AskAsync(() => SaveAsync(stores.Checkpoints, next - 1)), Is.False, "a stale owner");
    }

    private async Task OwnAsync(ICheckpointStore store, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var epoch = await store.RaiseEpochAsync(_key, CancellationToken.None);
                _raised.Enqueue(epoch);
                if (await SaveAsync(store, epoch)) _saved.Enqueue(epoch);
            }
            catch (MillraceException)
            {
                // Not known whether it was done: then nobody has the epoch, or the other its successor.
            }

            await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
        }
    }

    private ValueTask<bool> SaveAsync(ICheckpointStore store, long epoch) => store.SaveAsync(_key, epoch,
        new Checkpoint([], [], BitConverter.GetBytes(epoch), DateTimeOffset.UnixEpoch.AddSeconds(epoch)));
}
