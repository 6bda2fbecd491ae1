namespace Millrace.TestKit.Servers;

/// <summary>
/// A Spark Connect server for tests: the one that SPARK_REMOTE names, which must see this machine's files; else one
/// that is started for these tests and ended with them.
/// </summary>
public sealed class SparkServers : IAsyncDisposable
{
    private const string Variable = "SPARK_REMOTE";
    private const string Heap = "1g";
    private readonly IServerSet? _set;

    private SparkServers(string remote, IServerSet? set) => (Remote, _set) = (remote, set);

    /// <summary>sc://host:port</summary>
    public string Remote { get; }

    /// <summary>Whether it can be killed and paused: it is ours.</summary>
    public bool IsOurs => _set is not null;

    /// <summary>Null when there is none; then the reason says what to install.</summary>
    /// <param name="alone">One of its own, whatever the environment says.</param>
    public static async Task<(SparkServers? Servers, string Reason)> FindAsync(bool alone = false)
    {
        if (!alone && Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return (new SparkServers(named, null), "");
        var set = await ServerSets.StartAsync("spark", heap: Heap);
        return set is null
            ? (null, ServerSets.Missing("Spark", Variable))
            : (new SparkServers(set.Variables[Variable], set), "");
    }

    /// <summary>
    /// An S3 store that the server reads and writes as s3a; null when the server is another's and no S3_ENDPOINT is
    /// named.
    /// </summary>
    public async Task<S3Servers?> S3Async()
    {
        if (_set is null) return S3Servers.Named();
        await _set.AddAsync("s3");
        return S3Servers.Of(_set);
    }

    public Task KillAsync() => _set!.KillAsync(1);

    /// <summary>Starts it again after a kill; it knows nothing of before.</summary>
    public Task StartAsync() => _set!.StartAsync(1);

    public Task PauseAsync() => _set!.PauseAsync(1);

    public Task ResumeAsync() => _set!.ResumeAsync(1);

    public async ValueTask DisposeAsync()
    {
        if (_set is not null) await _set.DisposeAsync();
    }
}
