using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Bridge.Intake;
using Millrace.Primitives;
using Millrace.Stores.Bridges;

namespace Millrace.Gateway.Bridge.Link;

/// <summary>
/// Keeps what must be known of the broker's session after a crash. A message with QoS 2 is released (PUBCOMP) only when
/// the store has that it is: until then its packet id cannot mean another message.
/// </summary>
internal sealed class BridgeSessionKeeper(
    BridgeOptions options, BridgeIntake intake, IEventLog log, IBridgeStore store, BridgeState state,
    TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    /// <summary>Whether anything has to be remembered: the broker keeps a session, and there is QoS 2 in it.</summary>
    private bool IsKept => !options.CleanStart && options.Subscriptions.Exists(each => each.Qos == 2);

    private static int Partitions(IEventLog log) => log.FindTopic(Contracts.Topics.Telemetry)!.Partitions;

    /// <summary>What an earlier run left: the state that it saved, and what stands in the log since.</summary>
    public async Task RestoreAsync(CancellationToken ct)
    {
        intake.BeginSession(Guid.NewGuid().ToString("N"));
        if (!IsKept) return;
        var session = await store.FindSessionAsync(options.Name, options.ClientIdOrDefault, ct).ConfigureAwait(false);
        if (session is null || session.Offsets.Count != Partitions(log)) return;
        await CompleteAsync(session, ct).ConfigureAwait(false);
    }

    /// <summary>
    /// Looks through the log for what it may have taken while it said that it failed. Nothing is on its way, and the
    /// broker has not begun to send again.
    /// </summary>
    public async Task ResolveAsync(CancellationToken ct)
    {
        if (!IsKept || !intake.IsInDoubt) return;
        var (session, _) = intake.Snapshot(await EndsAsync(ct).ConfigureAwait(false));
        await CompleteAsync(session, ct).ConfigureAwait(false);
    }

    /// <summary>Saves, and answers what the broker has released; true when the store has it.</summary>
    public async Task SaveAsync(BridgeChannel? channel, CancellationToken ct)
    {
        var ends = IsKept ? await EndsAsync(ct).ConfigureAwait(false) : new long[Partitions(log)];
        var (session, released) = intake.Snapshot(ends);
        if (IsKept) await store.SaveSessionAsync(session, ct).ConfigureAwait(false);
        intake.Forget(released);
        if (channel is null) return;
        foreach (var packetId in released) await channel.CompleteAsync(packetId, ct).ConfigureAwait(false);
    }

    private async Task<long[]> EndsAsync(CancellationToken ct)
    {
        var ends = new long[Partitions(log)];
        for (var partition = 0; partition < ends.Length; partition++)
        {
            ends[partition] = (await log.RangeAsync(new TopicPartition(Contracts.Topics.Telemetry, partition), ct)
                .ConfigureAwait(false)).Next;
        }

        return ends;
    }

    /// <summary>Completes the session from the log, and goes on with it.</summary>
    private async Task CompleteAsync(BridgeSession session, CancellationToken ct)
    {
        var reader = new BridgeSessionReader(session);
        var ends = new long[session.Offsets.Count];
        for (var partition = 0; partition < ends.Length; partition++)
        {
            var source = new TopicPartition(Contracts.Topics.Telemetry, partition);
            ends[partition] = await reader.ReadAsync(log, source, ct).ConfigureAwait(false);
        }

        intake.Restore(session, reader.InLog, ends);
        logger.Resumes(options.Name, reader.InLog.Count, reader.RecordsRead);
    }

    /// <summary>Saves whenever the broker releases messages, many at once, and now and then.</summary>
    public async Task RunAsync(BridgeChannel channel, CancellationToken ct)
    {
        await using var timer = time.CreateTimer(
            _ => intake.ReleaseSignal.Call(), null, SaveInterval, SaveInterval).ConfigureAwait(false);
        await using var wake = ct.UnsafeRegister(_ => intake.ReleaseSignal.Call(), null).ConfigureAwait(false);
        while (!ct.IsCancellationRequested)
        {
            await intake.ReleaseSignal.WaitAsync().ConfigureAwait(false);
            try
            {
                await SaveAsync(channel, ct).ConfigureAwait(false);
            }
            catch (MillraceException failure)
            {
                state.Failed(BridgeErrors.SessionFailed.With(options.Name, failure.Message), failure);
                await Task.Delay(RetryPause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                intake.ReleaseSignal.Call();
            }
        }
    }
}
