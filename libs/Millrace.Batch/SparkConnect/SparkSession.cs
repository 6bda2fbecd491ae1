using Grpc.Core;
using Millrace.Batch.SparkConnect.Protocol;
using Millrace.Primitives;

namespace Millrace.Batch.SparkConnect;

/// <summary>
/// A session on the server: its settings and temporary views are seen by its own statements alone, and go with it.
/// </summary>
internal sealed partial class SparkSession(SparkClient client, string id, IReadOnlyList<string> tags) : IAsyncDisposable
{
    private string? _serverSide;

    public SparkClient Client => client;

    /// <summary>A UUID.</summary>
    public string Id => id;

    public UserContext User { get; } = new() { UserId = client.User, UserName = client.User };

    /// <summary>
    /// The server's own name for the session, once heard: a server that was started again does not know it, and says so
    /// instead of making a new session without a word.
    /// </summary>
    public string? ServerSide => _serverSide;

    /// <summary>Starts a statement or command; nothing is sent before its first answer is asked for.</summary>
    /// <param name="what">What errors name.</param>
    public SparkExecution Execute(Plan plan, string what, IProgress<BatchProgress>? progress = null) =>
        new(this, plan, tags, what, progress);

    /// <summary>Runs a command to its end.</summary>
    public async Task RunAsync(
        Command command, string what, CancellationToken ct, IProgress<BatchProgress>? progress = null)
    {
        await using var execution = Execute(new Plan { Command = command }, what, progress);
        while (await execution.NextAsync(ct).ConfigureAwait(false) is not null)
        {
            // Only that it ends matters.
        }
    }

    /// <summary>The rows of a relation, as they stream in.</summary>
    public async Task<SparkResult> QueryAsync(
        Relation relation, string what, CancellationToken ct, IProgress<BatchProgress>? progress = null)
    {
        var execution = Execute(new Plan { Root = relation }, what, progress);
        try
        {
            return await SparkResult.StartAsync(execution, ct).ConfigureAwait(false);
        }
        catch
        {
            await execution.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public Task SetAsync(IReadOnlyDictionary<string, string> settings, CancellationToken ct)
    {
        var set = new ConfigRequest.Types.Set();
        set.Pairs.Add(settings.Select(pair => new KeyValue { Key = pair.Key, Value = pair.Value }));
        return ConfigAsync(new ConfigRequest.Types.Operation { Set = set }, ct);
    }

    public async Task<string?> GetAsync(string setting, CancellationToken ct)
    {
        var get = new ConfigRequest.Types.Get { Keys = { setting } };
        var answer = await ConfigAsync(new ConfigRequest.Types.Operation { Get = get }, ct).ConfigureAwait(false);
        return answer.Pairs.FirstOrDefault()?.Value;
    }

    /// <summary>How the server would run the relation.</summary>
    public async Task<string> ExplainAsync(Relation relation, string what, CancellationToken ct)
    {
        var request = Analyze();
        request.Explain = new AnalyzePlanRequest.Types.Explain
        {
            Plan = new Plan { Root = relation },
            ExplainMode = AnalyzePlanRequest.Types.Explain.Types.ExplainMode.Formatted,
        };
        return (await AnalyzeAsync(request, what, ct).ConfigureAwait(false)).Explain.ExplainString;
    }

    /// <summary>The server's version; the shortest way to know that it answers.</summary>
    public async Task<string> VersionAsync(CancellationToken ct)
    {
        var request = Analyze();
        request.SparkVersion = new AnalyzePlanRequest.Types.SparkVersion();
        return (await AnalyzeAsync(request, "version", ct).ConfigureAwait(false)).SparkVersion.Version;
    }

    /// <summary>Ends one statement, all with a tag, or all of the session; returns the ids of those that ran.</summary>
    public async Task<IReadOnlyList<string>> InterruptAsync(
        CancellationToken ct, string? operation = null, string? tag = null)
    {
        var request = new InterruptRequest
        {
            SessionId = id,
            UserContext = User,
            ClientType = client.Agent,
            InterruptType = operation is not null ? InterruptRequest.Types.InterruptType.OperationId
                : tag is not null ? InterruptRequest.Types.InterruptType.Tag
                : InterruptRequest.Types.InterruptType.All,
        };
        if (operation is not null) request.OperationId = operation;
        else if (tag is not null) request.OperationTag = tag;
        var answer = await CallAsync(() => client.Rpc.InterruptAsync(request, client.Short(ct)).ResponseAsync,
            "interrupt", ct).ConfigureAwait(false);
        return answer.InterruptedIds;
    }

    /// <summary>Lets the session go on the server; one that does not answer lets go of it by itself.</summary>
    public async ValueTask DisposeAsync()
    {
        var request = new ReleaseSessionRequest { SessionId = id, UserContext = User, ClientType = client.Agent };
        try
        {
            await client.Rpc.ReleaseSessionAsync(request, client.Short(CancellationToken.None)).ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // Its time-out on the server does the rest.
        }
    }

    /// <summary>The server was started again: what it knew of the session is gone, and that does not matter.</summary>
    public void Forget() => _serverSide = null;

    internal void Heard(string serverSide)
    {
        if (serverSide.Length > 0) _serverSide = serverSide;
    }

    /// <summary>Runs a request; what fails becomes one of our errors.</summary>
    internal async Task<T> CallAsync<T>(Func<Task<T>> call, string what, CancellationToken ct)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            ct.ThrowIfCancellationRequested();
            throw await FailureAsync(e, what, ct).ConfigureAwait(false);
        }
    }

    /// <summary>The error with all that the server tells of it.</summary>
    internal async Task<MillraceException> FailureAsync(RpcException e, string what, CancellationToken ct)
    {
        var spark = SparkFailures.Of(e);
        if (spark is not null && SparkFailures.ErrorId(e) is { } errorId)
            spark = await DetailsAsync(errorId, ct).ConfigureAwait(false) ?? spark;
        return SparkFailures.ToException(e, spark, what);
    }

    private async Task<SparkError?> DetailsAsync(string errorId, CancellationToken ct)
    {
        var request = new FetchErrorDetailsRequest
        {
            SessionId = id,
            UserContext = User,
            ErrorId = errorId,
            ClientType = client.Agent,
        };
        try
        {
            var answer = await client.Rpc.FetchErrorDetailsAsync(request, client.Short(ct)).ConfigureAwait(false);
            if (!answer.HasRootErrorIdx) return null;
            var root = answer.Errors[answer.RootErrorIdx];
            return new SparkError(root.SparkThrowable?.ErrorClass, root.SparkThrowable?.SqlState, root.Message,
                root.SparkThrowable?.MessageParameters.ToDictionary() ?? []);
        }
        catch (RpcException)
        {
            // What the first answer told is enough.
            return null;
        }
    }

    private AnalyzePlanRequest Analyze()
    {
        var request = new AnalyzePlanRequest { SessionId = id, UserContext = User, ClientType = client.Agent };
        if (_serverSide is not null) request.ClientObservedServerSideSessionId = _serverSide;
        return request;
    }

    private async Task<AnalyzePlanResponse> AnalyzeAsync(
        AnalyzePlanRequest request, string what, CancellationToken ct)
    {
        var answer = await CallAsync(() => client.Rpc.AnalyzePlanAsync(request, client.Short(ct)).ResponseAsync, what,
            ct).ConfigureAwait(false);
        Heard(answer.ServerSideSessionId);
        return answer;
    }

    private async Task<ConfigResponse> ConfigAsync(ConfigRequest.Types.Operation operation, CancellationToken ct)
    {
        var request = new ConfigRequest
        {
            SessionId = id,
            UserContext = User,
            ClientType = client.Agent,
            Operation = operation,
        };
        if (_serverSide is not null) request.ClientObservedServerSideSessionId = _serverSide;
        var answer = await CallAsync(() => client.Rpc.ConfigAsync(request, client.Short(ct)).ResponseAsync,
            "settings", ct).ConfigureAwait(false);
        Heard(answer.ServerSideSessionId);
        return answer;
    }
}
