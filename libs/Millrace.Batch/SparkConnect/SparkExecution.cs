using Grpc.Core;
using Millrace.Batch.SparkConnect.Protocol;

namespace Millrace.Batch.SparkConnect;

/// <summary>
/// One statement or command on the server. It goes on there when the connection breaks, and its answers are kept until
/// they are released, so that reading is taken up again behind the last one that was read.
/// </summary>
internal sealed class SparkExecution(
    SparkSession session, Plan plan, IReadOnlyList<string> tags, string what, IProgress<BatchProgress>? progress)
    : IAsyncDisposable
{
    private readonly SparkClient _client = session.Client;
    private AsyncServerStreamingCall<ExecutePlanResponse>? _call;
    private Task _releasing = Task.CompletedTask;
    private string? _lastResponse;
    private bool _wasSent;
    private bool _isDone;

    public string OperationId { get; } = Guid.NewGuid().ToString();

    /// <summary>How often reading was taken up again.</summary>
    public int Reattached { get; private set; }

    /// <summary>The next answer, or null at the end.</summary>
    public async Task<ExecutePlanResponse?> NextAsync(CancellationToken ct)
    {
        for (var failures = 0; !_isDone;)
        {
            try
            {
                _call ??= Open(ct);
                if (await _call.ResponseStream.MoveNext(ct).ConfigureAwait(false))
                {
                    failures = 0;
                    if (Take(_call.ResponseStream.Current) is { } response) return response;
                }
                else
                {
                    // The server ends a stream now and then, and goes on in the next.
                    Close();
                }
            }
            catch (RpcException e)
            {
                ct.ThrowIfCancellationRequested();
                Close();
                if (_lastResponse is null && _wasSent && SparkFailures.IsUnknownOperation(e))
                {
                    // It broke before the server had it.
                    _wasSent = false;
                    if (failures++ < _client.Options.ReattachAttemptsMax) continue;
                }

                if (!SparkFailures.IsBroken(e) || ++failures > _client.Options.ReattachAttemptsMax)
                    throw await session.FailureAsync(e, what, ct).ConfigureAwait(false);
                var wait = _client.Options.ReattachDelay * (1 << Math.Min(failures - 1, 6));
                await Task.Delay(wait, _client.Time, ct).ConfigureAwait(false);
            }
        }

        return null;
    }

    /// <summary>Ends the statement when it still runs, and lets go of what the server keeps of it.</summary>
    public async ValueTask DisposeAsync()
    {
        Close();
        if (!_wasSent) return;
        try
        {
            await _releasing.ConfigureAwait(false);
            if (!_isDone)
                await session.InterruptAsync(CancellationToken.None, OperationId).ConfigureAwait(false);
            var release = Release();
            release.ReleaseAll = new ReleaseExecuteRequest.Types.ReleaseAll();
            await _client.Rpc.ReleaseExecuteAsync(release, _client.Short(CancellationToken.None))
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is RpcException or Primitives.MillraceException)
        {
            // A server that does not answer lets go of it by its own time-out.
        }
    }

    /// <summary>Null for what only this class needs to know.</summary>
    private ExecutePlanResponse? Take(ExecutePlanResponse response)
    {
        session.Heard(response.ServerSideSessionId);
        if (response.ResponseId.Length > 0) _lastResponse = response.ResponseId;
        switch (response.ResponseTypeCase)
        {
            case ExecutePlanResponse.ResponseTypeOneofCase.ResultComplete:
                _isDone = true;
                Close();
                return null;
            case ExecutePlanResponse.ResponseTypeOneofCase.ExecutionProgress:
                var stages = response.ExecutionProgress.Stages;
                progress?.Report(new BatchProgress(stages.Sum(stage => stage.NumCompletedTasks),
                    stages.Sum(stage => stage.NumTasks), stages.Sum(stage => stage.InputBytesRead)));
                return null;
            default:
                ReleaseRead();
                return response;
        }
    }

    /// <summary>Lets the server forget what was read; one request at a time, the newest that there is.</summary>
    private void ReleaseRead()
    {
        if (!_releasing.IsCompleted || _lastResponse is null) return;
        var release = Release();
        release.ReleaseUntil = new ReleaseExecuteRequest.Types.ReleaseUntil { ResponseId = _lastResponse };
        _releasing = QuietlyAsync(_client.Rpc.ReleaseExecuteAsync(release, _client.Short(CancellationToken.None)));
    }

    private static async Task QuietlyAsync(AsyncUnaryCall<ReleaseExecuteResponse> call)
    {
        try
        {
            await call.ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // The next one releases this too.
        }
    }

    private AsyncServerStreamingCall<ExecutePlanResponse> Open(CancellationToken ct)
    {
        if (!_wasSent)
        {
            _wasSent = true;
            return _client.Rpc.ExecutePlan(Request(), _client.Long(ct));
        }

        Reattached++;
        var reattach = new ReattachExecuteRequest
        {
            SessionId = session.Id,
            UserContext = session.User,
            OperationId = OperationId,
            ClientType = _client.Agent,
        };
        if (_lastResponse is not null) reattach.LastResponseId = _lastResponse;
        if (session.ServerSide is { } known) reattach.ClientObservedServerSideSessionId = known;
        return _client.Rpc.ReattachExecute(reattach, _client.Long(ct));
    }

    private ExecutePlanRequest Request()
    {
        var request = new ExecutePlanRequest
        {
            SessionId = session.Id,
            UserContext = session.User,
            Plan = plan,
            OperationId = OperationId,
            ClientType = _client.Agent,
        };
        request.Tags.Add(tags);
        request.RequestOptions.Add(new ExecutePlanRequest.Types.RequestOption
        {
            ReattachOptions = new ReattachOptions { Reattachable = true },
        });
        if (session.ServerSide is { } known) request.ClientObservedServerSideSessionId = known;
        return request;
    }

    private ReleaseExecuteRequest Release() => new()
    {
        SessionId = session.Id,
        UserContext = session.User,
        OperationId = OperationId,
        ClientType = _client.Agent,
    };

    private void Close()
    {
        _call?.Dispose();
        _call = null;
    }
}
