namespace Millrace.TestKit.Servers;

/// <summary>
/// An S3 store for tests: the one that S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY and S3_REGION name, else one that is
/// started for these tests and ended with them.
/// </summary>
public sealed class S3Servers : IAsyncDisposable
{
    private const string Variable = "S3_ENDPOINT";
    private readonly IServerSet? _set;

    private S3Servers(Func<string, string?> read, IServerSet? set)
    {
        _set = set;
        Endpoint = read(Variable)!;
        AccessKey = read("S3_ACCESS_KEY") ?? "";
        SecretKey = read("S3_SECRET_KEY") ?? "";
        Region = read("S3_REGION") ?? "us-east-1";
    }

    public string Endpoint { get; }

    public string AccessKey { get; }

    public string SecretKey { get; }

    public string Region { get; }

    /// <summary>Whether the server can be killed and paused: it is ours.</summary>
    public bool IsOurs => _set is not null;

    /// <summary>The one that the environment names; else null.</summary>
    public static S3Servers? Named() => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 }
        ? new S3Servers(Environment.GetEnvironmentVariable, null)
        : null;

    /// <summary>One that was started in a set of others, and ends with it.</summary>
    internal static S3Servers Of(IServerSet set) => new(set.Variables.GetValueOrDefault, null);

    /// <summary>Null when there is none; then the reason says what to install.</summary>
    public static async Task<(S3Servers? Servers, string Reason)> FindAsync()
    {
        if (Named() is { } named) return (named, "");
        var set = await ServerSets.StartAsync("s3");
        return set is null
            ? (null, ServerSets.Missing("S3 store", Variable))
            : (new S3Servers(set.Variables.GetValueOrDefault, set), "");
    }

    /// <summary>The settings of a store in this bucket, which is made.</summary>
    public Dictionary<string, string?> Settings(string bucket) => new()
    {
        ["ObjectStore:Kind"] = "S3",
        ["ObjectStore:S3:Endpoint"] = Endpoint,
        ["ObjectStore:S3:Region"] = Region,
        ["ObjectStore:S3:Bucket"] = bucket,
        ["ObjectStore:S3:CreateBucket"] = "true",
        ["ObjectStore:S3:Credentials:AccessKey"] = AccessKey,
        ["ObjectStore:S3:Credentials:SecretKey"] = SecretKey,
    };

    /// <summary>SIGKILL: its data stays.</summary>
    public Task KillAsync() => _set!.KillAsync(1);

    public Task StartAsync() => _set!.StartAsync(1);

    /// <summary>It stands still, with its connections open.</summary>
    public Task PauseAsync() => _set!.PauseAsync(1);

    public Task ResumeAsync() => _set!.ResumeAsync(1);

    public async ValueTask DisposeAsync()
    {
        if (_set is not null) await _set.DisposeAsync();
    }
}
