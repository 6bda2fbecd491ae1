using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Queries;
using Millrace.StreamProcessor.Sources;
using Millrace.StreamProcessor.WarmWriter;

namespace Millrace.StreamProcessor;

/// <summary>
/// Tries dead letters of this role's stages again, when asked to. One whose query is owned elsewhere, or by nobody at
/// the moment, stays asked for and is looked at again.
/// </summary>
internal sealed class DeadLetterReplays(
    IDeadLetterStore store, IQueryStore queries, TelemetrySink telemetry, LateLetters late, ControlWatch control,
    IOptions<StreamProcessorOptions> options, TimeProvider time, ILogger<DeadLetterReplays> logger)
    : BackgroundService
{
    private const int WaitingMax = 1_000;
    private const int AtOnceMax = 32;

    private readonly Channel<string> _asked = Channel.CreateBounded<string>(
        new BoundedChannelOptions(WaitingMax));

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        control.Noticed += Notice;
        return Task.WhenAll(AskAgainAsync(stoppingToken), ReplayAllAsync(stoppingToken));
    }

    /// <summary>Replays that were asked for and not done: a notice was lost, or a process ended.</summary>
    private async Task AskAgainAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(options.Value.ReconcileInterval, time);
        try
        {
            do await LookAsync(stop);
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // What was asked for stands in the store.
        }
    }

    private async Task LookAsync(CancellationToken stop)
    {
        try
        {
            string? continuation = null;
            do
            {
                var page = await store.ListAsync(new DeadLetterFilter(State: DeadLetterState.Replaying,
                    Limit: WaitingMax, Continuation: continuation), stop);
                foreach (var letter in page.Items) await _asked.Writer.WriteAsync(letter.Id, stop);
                continuation = page.Continuation;
            }
            while (continuation is not null);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            logger.ReplaysNotFound(e);
        }
    }

    private async Task ReplayAllAsync(CancellationToken stop)
    {
        try
        {
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnceMax, CancellationToken = stop };
            await Parallel.ForEachAsync(_asked.Reader.ReadAllAsync(stop), parallel, ReplayAsync);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // What was asked for stands in the store.
        }
    }

    private async ValueTask ReplayAsync(string id, CancellationToken ct)
    {
        try
        {
            var stored = await store.FindAsync(id, ct);
            if (stored is not { State: DeadLetterState.Replaying }) return;
            switch (stored.Letter.Stage)
            {
                case DeadLetterStages.WarmWriter:
                    await AnswerAsync(stored.Letter, await ToWarmStoreAsync(stored.Letter, ct), ct);
                    break;
                case DeadLetterStages.Query:
                    var answer = await ToQueryAsync(stored.Letter, ct);
                    if (answer.IsHere) await AnswerAsync(stored.Letter, answer.Refusal?.ToString(), ct);
                    break;
            }
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            logger.ReplayFailed(id, e);
        }
    }

    private async ValueTask<string?> ToWarmStoreAsync(DeadLetter letter, CancellationToken ct) =>
        letter.Topic == Topics.Telemetry
            ? await telemetry.ReplayAsync(letter, ct)
            : StreamProcessorErrors.ReplayRefused.With(letter.Id, $"A record of {letter.Topic} never was one.")
                .ToString();

    private async Task<LateAnswer> ToQueryAsync(DeadLetter letter, CancellationToken ct)
    {
        var query = await queries.FindAsync(letter.Query!, ct);
        if (query is { State: QueryState.Running }) return await late.OfferAsync(letter).WaitAsync(ct);
        return LateAnswer.Refused(letter, query is null
            ? $"There is no query {letter.Query}."
            : $"Query {query.Name} is {query.State}.");
    }

    private async ValueTask AnswerAsync(DeadLetter letter, string? refusal, CancellationToken ct)
    {
        if (refusal is not null)
        {
            StreamProcessorMetrics.ReplaysRefused.Add(1, StreamProcessorMetrics.Stage(letter.Stage));
            logger.ReplayRefused(letter.Id, refusal);
        }

        await store.SetStateAsync(
            letter.Id, refusal is null ? DeadLetterState.Replayed : DeadLetterState.Open, ct);
    }

    /// <summary>The look finds what there is no room for.</summary>
    private void Notice(ControlNotice notice)
    {
        if (notice.Kind == ControlKinds.DeadLetterReplay) _asked.Writer.TryWrite(notice.Id);
    }
}
