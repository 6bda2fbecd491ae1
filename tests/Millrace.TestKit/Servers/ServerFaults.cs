namespace Millrace.TestKit.Servers;

/// <summary>What servers suffer in more than one step.</summary>
public static class ServerFaults
{
    private static readonly TimeSpan Still = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Going = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// A node that is slow until the token is cancelled: it stands still most of the time, and never so long that it is
    /// taken for dead.
    /// </summary>
    public static async Task SlowAsync(this IServerSet set, int node, CancellationToken until)
    {
        while (!until.IsCancellationRequested)
        {
            await set.PauseAsync(node);
            await Task.Delay(Still, TimeProvider.System, CancellationToken.None);
            await set.ResumeAsync(node);
            await Task.Delay(Going, TimeProvider.System, CancellationToken.None);
        }
    }
}
