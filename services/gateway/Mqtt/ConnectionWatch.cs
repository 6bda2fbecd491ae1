namespace Millrace.Gateway.Mqtt;

/// <summary>
/// One clock for all connections: keep-alives, time-outs and expired tokens, looked at once a second.
/// </summary>
internal sealed class ConnectionWatch(GatewayRuntime runtime, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly long _startedAt = time.GetTimestamp();

    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false)) WatchAll();
        }
        catch (OperationCanceledException)
        {
            // The gateway has stopped.
        }
    }

    private void WatchAll()
    {
        var seconds = (int)time.GetElapsedTime(_startedAt).TotalSeconds;
        var now = time.GetUtcNow();
        runtime.NowSeconds = seconds;
        foreach (var connection in runtime.Connections.Snapshot()) connection?.Watch(seconds, now);
    }
}
