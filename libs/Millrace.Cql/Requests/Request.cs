using System.Diagnostics;
using System.Threading.Tasks.Sources;
using Millrace.Cql.Connections;
using Millrace.Cql.Protocol;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Requests;

/// <summary>
/// A statement on its way: from the first node that is tried to the answer. It is its own awaitable and its own work
/// item, and is used again, so that a write allocates nothing. Answers are decoded as they are read; whoever awaits
/// goes on in a <see cref="Turn"/> or in the thread pool, and cannot hold the connection up for long.
/// </summary>
internal sealed partial class Request : IResponseHandler, IValueTaskSource<RowSet>, IThreadPoolWorkItem
{
    // A batch may have several statements that a node has forgotten, and it names one at a time.
    private const int PreparesMax = 16;

    private ManualResetValueTaskSourceCore<RowSet> _core;
    private CqlSession _session = null!;
    private CqlStatement _statement = null!;
    private QueryPlan _plan;
    private Func<Request, Task>? _detour;
    private Next _next;
    private CqlNode? _node;
    private RowSet? _result;
    private Exception? _failure;
    private CancellationTokenRegistration _registration;
    private volatile bool _cancelled;
    private CancellationToken _ct;
    private Activity? _activity;
    private long _startedAt;
    private long _deadline;
    private bool _idempotent;
    private int _retries;

    /// <summary>Why it is to be sent again, until it was.</summary>
    private string? _retriesFor;
    private int _prepares;

    /// <summary>What the work item is to do.</summary>
    private enum Next
    {
        Complete,
        SameNode,
        NextNode,
        Detour,
    }

    public (Connection Connection, int Stream) Place { get; set; }

    /// <summary>
    /// Asked once <see cref="Place"/> is known. Either this sees that it was cancelled, or who cancels sees the place:
    /// both have a barrier between what they write and what they read.
    /// </summary>
    public bool IsCancelled
    {
        get
        {
            if (!_ct.CanBeCanceled) return false;
            Interlocked.MemoryBarrier();
            return _cancelled;
        }
    }

    public static ValueTask<RowSet> ExecuteAsync(CqlSession session, CqlStatement statement, CancellationToken ct)
    {
        var request = Pool<Request>.Rent();
        request._core.Reset();
        var answer = new ValueTask<RowSet>(request, request._core.Version);
        request.Start(session, statement, ct);
        return answer;
    }

    public IThreadPoolWorkItem OnResponse(Connection connection, EnvelopeHeader header, ReadOnlySpan<byte> body)
    {
        if (header.Opcode == Opcode.Result) OnResult(header, body);
        else if (header.Opcode == Opcode.Error) OnError(ErrorReader.Read(header, body, connection.EndPoint));
        else throw CqlErrors.ProtocolViolated.With($"{header.Opcode} as the answer to a statement").AsCql();
        return this;
    }

    public void OnFailure(Connection connection, CqlException reason)
    {
        _failure = reason;
        _next = Next.Complete;
        if (RetryRules.AfterLoss(reason, _idempotent) == Verdict.NextNode) RetryOn(Next.NextNode, "connection lost");
        Queue();
    }

    void IThreadPoolWorkItem.Execute()
    {
        switch (_next)
        {
            case Next.Complete: Complete(); break;
            case Next.Detour: _ = TakeDetourAsync(); break;
            case Next.SameNode: Send(_node); break;
            case Next.NextNode: Send(null); break;
        }
    }

    RowSet IValueTaskSource<RowSet>.GetResult(short token)
    {
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            Recycle();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<RowSet>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<RowSet>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void OnResult(EnvelopeHeader header, ReadOnlySpan<byte> body)
    {
        _next = Next.Complete;
        _failure = null;
        _result = ResultReader.Read(header, body, _statement.KnownResult);
        if (ReferenceEquals(_result, RowSet.Empty)) return;
        if (_result.ChangedMetadata is { } changed && _statement.Prepared is { } prepared) prepared.Result = changed;
        if (_result.SchemaChange is not null) DetourBy(static request => request.AwaitAgreementAsync());
    }

    private void OnError(CqlServerException error)
    {
        _next = Next.Complete;
        _failure = error;
        if (error is CqlUnpreparedException && _prepares < PreparesMax)
        {
            DetourBy(static request => request.PrepareAgainAsync());
            return;
        }

        var verdict = RetryRules.AfterError(error, _idempotent, _retries);
        if (verdict == Verdict.SameNode) RetryOn(Next.SameNode, error.Code);
        else if (verdict == Verdict.NextNode) RetryOn(Next.NextNode, error.Code);
    }

    private void DetourBy(Func<Request, Task> detour)
    {
        _detour = detour;
        _next = Next.Detour;
    }

    private void RetryOn(Next node, string reason)
    {
        if (_retries >= _session.Options.RetriesMax) return;
        _retries++;
        _next = node;
        _retriesFor = reason;
    }

    private void Queue() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
}
