using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Lifecycle;
using Millrace.Gateway.Listeners;
using Millrace.Gateway.Mqtt;
using Millrace.Gateway.Publishing;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.Sockets;
using Millrace.Gateway.TopicSpaces;

namespace Millrace.Gateway;

/// <summary>
/// Starts what connections need before the server accepts the first, and at the end drains them before anything that
/// they need has stopped.
/// </summary>
internal sealed class GatewayService(
    GatewayRuntime runtime, TelemetryPublisher publisher, LifecycleWriter lifecycle, ConnectionWatch watch,
    RevocationWatch revocations, SessionSweeper sweeper, SessionRecovery recovery, NodeLease lease,
    PeerWatch peers, DeviceMessageReader messages,
    SpaceLog spaces, LoopListeners listeners, GatewayEndpoints endpoints, IOptions<GatewayOptions> options,
    TimeProvider time, ILogger<GatewayService> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan CutTimeout = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        publisher.Start();
        lifecycle.Start();
        await spaces.StartAsync(cancellationToken).ConfigureAwait(false);
        var notices = await revocations.StartOffsetAsync(cancellationToken).ConfigureAwait(false);
        await recovery.RunAsync(cancellationToken).ConfigureAwait(false);
        await sweeper.StartAsync().ConfigureAwait(false);
        _watching = Task.WhenAll(
            Task.Run(() => watch.RunAsync(_stop.Token), CancellationToken.None),
            Task.Run(() => revocations.RunAsync(notices, _stop.Token), CancellationToken.None),
            Task.Run(() => sweeper.RunAsync(_stop.Token), CancellationToken.None),
            Task.Run(() => lease.RunAsync(_stop.Token), CancellationToken.None),
            Task.Run(() => peers.RunAsync(_stop.Token), CancellationToken.None),
            Task.Run(() => messages.RunAsync(_stop.Token), CancellationToken.None));
        listeners.Start();
    }

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (endpoints.Mqtt is { } plain) logger.MqttListens($"mqtt://{plain}");
        if (endpoints.Mqtts is { } tls) logger.MqttListens($"mqtts://{tls}");
        if (endpoints.WebSocket is { } web) logger.MqttListens($"ws://{web}/mqtt");
        if (endpoints.WebSocketTls is { } secure) logger.MqttListens($"wss://{secure}/mqtt");
        return Task.CompletedTask;
    }

    /// <summary>
    /// Comes before any service is stopped: the log and the stores are there until the last ack is out.
    /// </summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        runtime.IsDraining = true;
        listeners.StopListening();
        logger.Draining(runtime.Connections.Count);
        foreach (var connection in runtime.Connections.Snapshot().ToArray()) connection?.Drain();
        var timeout = options.Value.DrainTimeout;
        try
        {
            await runtime.Connections.WhenEmptyAsync().WaitAsync(timeout, time, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is TimeoutException or OperationCanceledException)
        {
            logger.DrainTimedOut(runtime.Connections.Count, timeout);
            await CutAsync().ConfigureAwait(false);
        }
    }

    private async Task CutAsync()
    {
        foreach (var connection in runtime.Connections.Snapshot().ToArray()) connection?.Cut();
        var ended = runtime.Connections.WhenEmptyAsync();
        await Task.WhenAny(ended, Task.Delay(CutTimeout, time)).ConfigureAwait(false);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // Who may still publish a will stops first.
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        await Task.WhenAll(publisher.StopAsync(), spaces.StopAsync()).WaitAsync(cancellationToken)
            .ConfigureAwait(false);
        if (await lifecycle.StopAsync(cancellationToken).ConfigureAwait(false))
            await lease.StopAsync(cancellationToken).ConfigureAwait(false);
        listeners.Dispose();
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
