using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.DeadLetters;

namespace Millrace.Gateway.Bridge.Replays;

/// <summary>
/// Tries a bridge's dead letters again when somebody asks: by notices of the control topic, and by a look at the store
/// now and then. Of several gateways with a bridge of this name the one does it that the log assigns the letters to.
/// </summary>
internal sealed class BridgeReplays(
    BridgeOptions options, BridgeReplay replay, IEventLog log, IDeadLetterStore store, BridgeState state,
    TimeProvider time)
{
    private static readonly TopicPartition Control = new(Contracts.Topics.Control, 0);
    private static readonly TopicPartition Letters = new(Contracts.Topics.DeadLetter, 0);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(1);

    private CancellationTokenSource? _scope;
    private Task _running = Task.CompletedTask;

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            var group = ConsumerGroups.OfBridge(options.Name);
            await foreach (var change in log.WatchAssignmentAsync(group, Letters.Topic, stop).ConfigureAwait(false))
            {
                if (change.Partitions.Contains(Letters))
                {
                    if (change.Kind == AssignmentKind.Assigned) Start(stop);
                    else await StopAsync().ConfigureAwait(false);
                }

                change.Complete();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The gateway stops.
        }

        await StopAsync().ConfigureAwait(false);
    }

    private void Start(CancellationToken stop)
    {
        _scope = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var scope = _scope.Token;
        _running = Task.Run(() => FollowOnAsync(scope), CancellationToken.None);
    }

    private async ValueTask StopAsync()
    {
        if (_scope is null) return;
        await _scope.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _scope.Dispose();
        _scope = null;
    }

    private async Task FollowOnAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(stop).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                if (stop.IsCancellationRequested) return;
                state.Failed(BridgeErrors.ReplayFailed.With(options.Name, failure.Message), failure);
                await Task.Delay(options.ReconnectDelayMax, time, stop)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        var end = (await log.RangeAsync(Control, stop).ConfigureAwait(false)).Next;
        await using var reader = log.OpenReader(Control, end);
        while (true)
        {
            await ReplayAskedAsync(stop).ConfigureAwait(false);
            using var interval = new CancellationTokenSource(LookInterval, time);
            using var look = CancellationTokenSource.CreateLinkedTokenSource(stop, interval.Token);
            try
            {
                while (!IsAsked(await reader.ReadAsync(ct: look.Token).ConfigureAwait(false)))
                {
                    // The notice was about something else.
                }
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // Time to look whether a notice was missed.
            }
        }
    }

    private async ValueTask ReplayAskedAsync(CancellationToken ct)
    {
        string? continuation = null;
        do
        {
            var page = await store.ListAsync(new DeadLetterFilter(
                DeadLetterStages.Gateway, State: DeadLetterState.Replaying, Continuation: continuation), ct)
                .ConfigureAwait(false);
            foreach (var letter in page.Items.Where(each => replay.IsOfThis(each.Letter)))
            {
                var refusal = await replay.TryAsync(letter, ct).ConfigureAwait(false);
                state.Replayed(letter.Id, refusal);
                await store.SetStateAsync(
                    letter.Id, refusal is null ? DeadLetterState.Replayed : DeadLetterState.Open, ct)
                    .ConfigureAwait(false);
            }

            continuation = page.Continuation;
        }
        while (continuation is not null);
    }

    /// <summary>A notice that cannot be read is nobody's: the look finds what it meant.</summary>
    private static bool IsAsked(RecordBatch batch)
    {
        foreach (var record in batch)
        {
            try
            {
                var notice = JsonSerializer.Deserialize(record.Value, ContractJson.Default.ControlNotice);
                if (notice?.Kind == ControlKinds.DeadLetterReplay) return true;
            }
            catch (JsonException)
            {
                continue;
            }
        }

        return false;
    }
}
