using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.EventLog;
using Millrace.Gateway.Bridge.Outputs;
using Millrace.Gateway.Publishing;
using Millrace.Stores.Bridges;
using Millrace.Stores.DeadLetters;

namespace Millrace.Gateway.Bridge;

/// <summary>Runs the configured bridges. Starts after the gateway's publisher, and so stops before it.</summary>
internal sealed class BridgeService(
    IOptions<GatewayOptions> options, TelemetryPublisher publisher, IEventLog log, IBridgeStore store,
    IDeadLetterStore letters, GatewayMetrics metrics, BridgeMetrics bridgeMetrics, TimeProvider time,
    ILogger<BridgeService> logger)
    : IHostedService
{
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var forgotten = new ForgottenOutputs(log, store, options.Value.Bridges, time, logger);
        var bridges = options.Value.Bridges.Select(each => new RunningBridge(
            each, options.Value, publisher, log, store, letters, metrics, bridgeMetrics, time, logger)).ToList();
        _running = Task.WhenAll([
            Task.Run(() => forgotten.RunAsync(_stop.Token), CancellationToken.None),
            .. bridges.Select(bridge => Task.Run(() => bridge.RunAsync(_stop.Token), _stop.Token)),
        ]);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
