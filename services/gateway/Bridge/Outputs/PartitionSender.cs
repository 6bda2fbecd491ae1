using System.Collections.Immutable;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Bridge.Link;
using Millrace.Primitives;

namespace Millrace.Gateway.Bridge.Outputs;

/// <summary>
/// Sends one partition in its order, many records in flight. The offset is committed when the broker has acknowledged
/// all before it; after a lost connection everything from there on is sent again.
/// </summary>
/// <param name="topicsMax">Topics that are remembered as refused.</param>
internal sealed class PartitionSender(
    BridgeOptions bridge, BridgeOutputOptions output, int topicsMax, TopicPartition partition, bool fromEnd,
    BridgeLink link, IEventLog log, BridgeState state, TimeProvider time)
{
    private readonly DeadLetterTopic _letters = new(log);
    private readonly BatchSender _sender = new(bridge, output, topicsMax, partition, state, time);
    private readonly string _group = ConsumerGroups.OfBridge(bridge.Name);
    private long _committed = -1;

    public long InFlight => _sender.InFlight;

    public async ValueTask<long> LagAsync(CancellationToken ct)
    {
        var committed = Interlocked.Read(ref _committed);
        return committed < 0 ? 0 : (await log.RangeAsync(partition, ct).ConfigureAwait(false)).Next - committed;
    }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            BridgeClient? client = null;
            try
            {
                // What comes from now on is for the broker, also before it is reached.
                var start = await StartAsync(stop).ConfigureAwait(false);
                Interlocked.Exchange(ref _committed, start.NextOffset);
                client = await link.ClientAsync(stop).ConfigureAwait(false);
                await SendAsync(client, start, stop).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                if (stop.IsCancellationRequested) return;
                await PauseAsync(client, failure, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A lost connection is the link's to tell, and soon made again; anything else takes its time.</summary>
    private Task PauseAsync(BridgeClient? client, Exception failure, CancellationToken stop)
    {
        var isLost = client is { IsConnected: false };
        if (!isLost)
        {
            state.Failed(failure is MillraceException known
                ? known.Error
                : BridgeErrors.Lost.With(partition, failure.GetBaseException().Message), failure);
        }

        var pause = isLost ? bridge.ReconnectDelayMin : bridge.ReconnectDelayMax;
        return Task.Delay(pause, time, stop).ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task SendAsync(BridgeClient client, CommittedOffset start, CancellationToken stop)
    {
        var fence = new EpochFence(start.Metadata);
        var reader = log.OpenReader(partition, start.NextOffset);
        await using var closing = reader.ConfigureAwait(false);
        while (true)
        {
            var batch = await reader.ReadAsync(ct: stop).ConfigureAwait(false);
            await SendAsync(client, batch, fence, stop).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Where the group stands. An output that is new begins with what comes now, and that is kept at once; one whose
    /// topic was made later begins with the topic.
    /// </summary>
    private async ValueTask<CommittedOffset> StartAsync(CancellationToken ct)
    {
        if (await log.CommittedAsync(_group, partition, ct).ConfigureAwait(false) is { } committed) return committed;
        var range = await log.RangeAsync(partition, ct).ConfigureAwait(false);
        var start = fromEnd ? range.Next : range.First;
        await log.CommitAsync(_group, partition, start, ct: ct).ConfigureAwait(false);
        return new CommittedOffset(start, null);
    }

    /// <summary>
    /// Sends a batch until nothing of it is open. Before each pause what stands before the first open record is
    /// committed, so that it is not sent again.
    /// </summary>
    private async Task SendAsync(BridgeClient client, RecordBatch batch, EpochFence fence, CancellationToken stop)
    {
        var before = fence.Epochs;
        var open = Admitted(batch, fence);
        var letters = new List<DeadLetter>();
        while (await _sender.TryAsync(client, batch, open, letters, stop).ConfigureAwait(false) is { } refusal)
        {
            await CommitAsync(letters, open.Min, FenceAt(batch, before, open.Min), stop).ConfigureAwait(false);
            state.Failed(refusal, null);
            await Task.Delay(bridge.ReconnectDelayMax, time, stop).ConfigureAwait(false);
        }

        await CommitAsync(letters, batch.NextOffset, fence, stop).ConfigureAwait(false);
    }

    private SortedSet<long> Admitted(RecordBatch batch, EpochFence fence)
    {
        var admitted = new SortedSet<long>();
        foreach (var record in batch)
        {
            if (fence.Admits(record)) admitted.Add(record.Offset);
            else state.Fenced();
        }

        return admitted;
    }

    /// <summary>The epochs as they are at an offset: a row there must not be stale for what stands behind it.</summary>
    private static EpochFence FenceAt(RecordBatch batch, ImmutableDictionary<string, long> before, long offset)
    {
        var fence = EpochFence.At(before);
        foreach (var record in batch)
        {
            if (record.Offset == offset) break;
            fence.Admits(record);
        }

        return fence;
    }

    private async ValueTask CommitAsync(
        List<DeadLetter> letters, long next, EpochFence fence, CancellationToken ct)
    {
        await _letters.AppendAsync(letters.ToAsyncEnumerable(), null, ct).ConfigureAwait(false);
        letters.Clear();
        await log.CommitAsync(_group, partition, next, fence.Metadata, ct).ConfigureAwait(false);
        Interlocked.Exchange(ref _committed, next);
    }
}
