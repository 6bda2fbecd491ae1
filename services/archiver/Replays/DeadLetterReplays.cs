using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.DeadLetters;

namespace Millrace.Archiver.Replays;

/// <summary>
/// Tries dead letters of this stage again when somebody asks: by notices of the control topic, and by a look at the
/// store now and then and when partitions come, because a notice may be missed or have been for another process then.
/// </summary>
internal sealed class DeadLetterReplays(
    IEventLog log,
    IDeadLetterStore letters,
    LetterReplay replay,
    ArchiverAssignment assignment,
    TopicArchivers archivers,
    IOptions<ArchiverOptions> options,
    TimeProvider time,
    ILogger<DeadLetterReplays> logger) : BackgroundService
{
    private static readonly TopicPartition Control = new(Topics.Control, 0);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                var delay = options.Value.RestartDelay;
                logger.ReplaysFailed(e, delay);
                await Task.Delay(delay, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        var end = (await log.RangeAsync(Control, stop).ConfigureAwait(false)).Next;
        await using var reader = log.OpenReader(Control, end);
        using var scope = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var reading = reader.ReadAsync(ct: scope.Token).AsTask();
        try
        {
            while (true)
            {
                var changed = assignment.Changed;
                await ReplayAskedAsync(scope.Token).ConfigureAwait(false);
                var scan = Task.Delay(options.Value.ReplayScanInterval, time, scope.Token);
                while (await Task.WhenAny(reading, changed, scan).ConfigureAwait(false) == reading)
                {
                    var asked = IdsIn(await reading.ConfigureAwait(false));
                    reading = reader.ReadAsync(ct: scope.Token).AsTask();
                    foreach (var id in asked) await ReplayAsync(id, scope.Token).ConfigureAwait(false);
                }

                stop.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            // The reader may not go while it is being read.
            await scope.CancelAsync().ConfigureAwait(false);
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReplayAskedAsync(CancellationToken ct)
    {
        string? continuation = null;
        do
        {
            var page = await letters.ListAsync(
                new DeadLetterFilter(DeadLetterStages.Archiver, State: DeadLetterState.Replaying,
                    Continuation: continuation),
                ct).ConfigureAwait(false);
            foreach (var letter in page.Items) await ReplayAsync(letter.Id, ct).ConfigureAwait(false);
            continuation = page.Continuation;
        }
        while (continuation is not null);
    }

    private async Task ReplayAsync(string id, CancellationToken ct)
    {
        try
        {
            var stored = await letters.FindAsync(id, ct).ConfigureAwait(false);
            if (stored is not { State: DeadLetterState.Replaying, Letter: var letter }) return;
            if (letter.Stage != DeadLetterStages.Archiver || archivers.Find(letter.Topic) is not { } archiver) return;
            var source = new TopicPartition(letter.Topic, letter.Partition);
            if (!archiver.Assignment.Partitions.Contains(source)) return;
            var outcome = await replay.RunAsync(archiver.Writer, letter, ct).ConfigureAwait(false);
            if (outcome is not (ReplayOutcome.FailedAgain or ReplayOutcome.Erased))
                await letters.SetStateAsync(id, DeadLetterState.Replayed, ct).ConfigureAwait(false);
            logger.Replayed(id, outcome.ToString());
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            logger.ReplayFailed(e, id);
        }
    }

    /// <summary>A notice that cannot be read is nobody's: the scan finds what it meant.</summary>
    private static List<string> IdsIn(RecordBatch batch)
    {
        var ids = new List<string>();
        foreach (var record in batch)
        {
            try
            {
                var notice = JsonSerializer.Deserialize(record.Value, ContractJson.Default.ControlNotice);
                if (notice?.Kind == ControlKinds.DeadLetterReplay) ids.Add(notice.Id);
            }
            catch (JsonException)
            {
                continue;
            }
        }

        return ids;
    }
}
