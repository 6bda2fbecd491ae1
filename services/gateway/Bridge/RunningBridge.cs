using Microsoft.Extensions.Logging;
using Millrace.EventLog;
using Millrace.Gateway.Bridge.Intake;
using Millrace.Gateway.Bridge.Link;
using Millrace.Gateway.Bridge.Outputs;
using Millrace.Gateway.Bridge.Replays;
using Millrace.Gateway.Publishing;
using Millrace.Primitives;
using Millrace.Stores.Bridges;
using Millrace.Stores.DeadLetters;

namespace Millrace.Gateway.Bridge;

/// <summary>One bridge and all that it consists of.</summary>
internal sealed class RunningBridge
{
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(2);

    private readonly BridgeOptions _options;
    private readonly BridgeState _state;
    private readonly BridgeLetters _letters;
    private readonly BridgeIntake _intake;
    private readonly BridgeSessionKeeper _keeper;
    private readonly BridgeLink _link;
    private readonly BridgeOutput[] _outputs;
    private readonly BridgeReplays _replays;
    private readonly IBridgeStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _lag;

    public RunningBridge(
        BridgeOptions options, GatewayOptions gateway, TelemetryPublisher publisher, IEventLog log,
        IBridgeStore store, IDeadLetterStore letters, GatewayMetrics metrics, BridgeMetrics bridgeMetrics,
        TimeProvider time, ILogger logger)
    {
        (_options, _store, _time, _logger) = (options, store, time, logger);
        _state = new BridgeState(options, bridgeMetrics, time, logger);
        var encoder = new BridgeEncoder(options.Name, gateway.PropertiesMax);
        _letters = new BridgeLetters(options, encoder, gateway.PartitionBufferBytesMax.Bytes, log, _state, time);
        _intake = new BridgeIntake(options, gateway, encoder, publisher, _letters, metrics, _state);
        _keeper = new BridgeSessionKeeper(options, _intake, log, store, _state, time, logger);
        _link = new BridgeLink(options, gateway.DrainTimeout, _intake, _keeper, _state, time, logger);
        _outputs = [.. options.Outputs.Select(each =>
            new BridgeOutput(options, each, gateway.TopicCacheMax, _link, log, _state, time))];
        var replay = new BridgeReplay(options, gateway, publisher, _outputs, log);
        _replays = new BridgeReplays(options, replay, log, letters, _state, time);
        bridgeMetrics.Watch(options.Name, () => InFlight, () => Interlocked.Read(ref _lag));
    }

    private long InFlight => _intake.InFlight + _outputs.Sum(output => output.InFlight);

    public async Task RunAsync(CancellationToken stop)
    {
        var letters = Task.Run(() => _letters.RunAsync(_intake.LettersLane), CancellationToken.None);
        await RestoreAsync(stop).ConfigureAwait(false);
        await Task.WhenAll([
            _link.RunAsync(stop), ReportAsync(stop), _replays.RunAsync(stop),
            .. _outputs.Select(output => output.RunAsync(stop)),
        ]).ConfigureAwait(false);
        _letters.Stop();
        await letters.ConfigureAwait(false);
        await ReportOnceAsync(CancellationToken.None).ConfigureAwait(false);
    }

    private async Task RestoreAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await _keeper.RestoreAsync(stop).ConfigureAwait(false);
                return;
            }
            catch (Exception failure) when (failure is MillraceException or OperationCanceledException)
            {
                if (stop.IsCancellationRequested) return;
                _state.Failed(BridgeErrors.SessionFailed.With(_options.Name, failure.Message), failure);
                await Task.Delay(_options.ReconnectDelayMax, _time, stop)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ReportAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await ReportOnceAsync(stop).ConfigureAwait(false);
            await Task.Delay(StatusInterval, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReportOnceAsync(CancellationToken ct)
    {
        try
        {
            var lag = 0L;
            foreach (var output in _outputs) lag += await output.LagAsync(ct).ConfigureAwait(false);
            Interlocked.Exchange(ref _lag, lag);
            await _store.WriteStatusAsync(_state.Status(InFlight, lag), ct).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is MillraceException or OperationCanceledException)
        {
            if (!ct.IsCancellationRequested) _logger.StatusFails(_options.Name, failure);
        }
    }
}
