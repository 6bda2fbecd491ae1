namespace Millrace.Gateway.Mqtt;

/// <summary>
/// One clock for all connections: keep-alives, time-outs and expired tokens, looked at once a second.
/// </summary>
internal sealed class ConnectionWatch(GatewayRuntime runtime, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Seconds are those since it runs, whenever it was made: who comes before the first look comes at 0.
    /// </summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var startedAt = time.GetTimestamp();
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false)) WatchAll(startedAt);
        }
        catch (OperationCanceledException)
        {
            // The gateway has stopped.
        }
    }

    private void WatchAll(long startedAt)
    {
        var seconds = (int)time.GetElapsedTime(startedAt).TotalSeconds;
        var now = time.GetUtcNow();
        runtime.NowSeconds = seconds;
        foreach (var connection in runtime.Connections.Snapshot()) connection?.Watch(seconds, now);
    }
}
