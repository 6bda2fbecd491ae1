namespace Millrace.Gateway.Mqtt;

/// <summary>
/// One clock for all connections: keep-alives, time-outs and expired tokens, looked at once a second.
/// </summary>
internal sealed class ConnectionWatch(ConnectionTable connections, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private int _nowSeconds;

    /// <summary>
    /// A clock that moves once a second: looking at it costs a connection nothing. It counts from when the watch runs,
    /// whenever that was made: who comes before the first look comes at 0.
    /// </summary>
    public int NowSeconds => Volatile.Read(ref _nowSeconds);

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
        Volatile.Write(ref _nowSeconds, seconds);
        foreach (var connection in connections.Snapshot()) connection?.Watch(seconds, now);
    }
}
