namespace Millrace.Gateway.Lifecycle;

/// <summary>
/// This gateway from its start to its end, or until others had to take it for dead. The ids of its connections begin
/// with it, so that what is left of them is known when it has ended without a word.
/// </summary>
internal sealed class GatewayRun(TimeProvider time)
{
    private volatile string _id = New(time);

    public string Id => _id;

    /// <summary>Connections from now on are another run's: others may have told the end of the one before.</summary>
    public void BeginAnother() => _id = New(time);

    public static string ConnectionId(string run, long number) => ConnectionIdPrefix(run) + number;

    public static string ConnectionIdPrefix(string run) => $"{run}-";

    private static string New(TimeProvider time) => Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
}
