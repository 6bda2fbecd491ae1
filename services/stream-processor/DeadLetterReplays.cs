using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.Stores.DeadLetters;
using Millrace.StreamProcessor.Sources;
using Millrace.StreamProcessor.WarmWriter;

namespace Millrace.StreamProcessor;

/// <summary>Tries dead letters of this role's stages again, when asked to.</summary>
internal sealed class DeadLetterReplays(
    IDeadLetterStore store, TelemetrySink telemetry, ControlWatch control, ILogger<DeadLetterReplays> logger)
    : BackgroundService
{
    private const int WaitingMax = 1_000;

    private readonly Channel<string> _asked = Channel.CreateBounded<string>(
        new BoundedChannelOptions(WaitingMax) { FullMode = BoundedChannelFullMode.DropWrite });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        control.Noticed += Notice;
        await AskAgainAsync(stoppingToken);
        await foreach (var id in _asked.Reader.ReadAllAsync(stoppingToken)) await ReplayAsync(id, stoppingToken);
    }

    /// <summary>Replays that were asked for and not done when the process ended.</summary>
    private async Task AskAgainAsync(CancellationToken ct)
    {
        var waiting = await store.ListAsync(new DeadLetterFilter(State: DeadLetterState.Replaying, Limit: WaitingMax),
            ct);
        foreach (var letter in waiting.Items) _asked.Writer.TryWrite(letter.Id);
    }

    private async Task ReplayAsync(string id, CancellationToken ct)
    {
        var stored = await store.FindAsync(id, ct);
        if (stored is not { State: DeadLetterState.Replaying }) return;
        string? refusal;
        switch (stored.Letter.Stage)
        {
            case DeadLetterStages.WarmWriter when stored.Letter.Topic == Topics.Telemetry:
                refusal = await telemetry.ReplayAsync(stored.Letter, ct);
                break;
            case DeadLetterStages.Query or DeadLetterStages.WarmWriter:
                refusal = StreamProcessorErrors.ReplayUnsupported.With(id).ToString();
                break;
            default:
                return;
        }

        if (refusal is not null)
        {
            StreamProcessorMetrics.ReplaysRefused.Add(1, StreamProcessorMetrics.Stage(stored.Letter.Stage));
            logger.ReplayRefused(id, refusal);
        }

        await store.SetStateAsync(id, refusal is null ? DeadLetterState.Replayed : DeadLetterState.Open, ct);
    }

    private void Notice(ControlNotice notice)
    {
        if (notice.Kind == ControlKinds.DeadLetterReplay) _asked.Writer.TryWrite(notice.Id);
    }
}
