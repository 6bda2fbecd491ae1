using Millrace.Cql.Observability;

namespace Millrace.Cql.Requests;

/// <summary>From node to node, and to the end.</summary>
internal sealed partial class Request
{
    private void Start(CqlSession session, CqlStatement statement, CancellationToken ct)
    {
        (_session, _statement, _ct) = (session, statement, ct);
        _startedAt = session.Time.GetTimestamp();
        try
        {
            statement.Check();
            ct.ThrowIfCancellationRequested();
            session.Resolve(statement);
            _idempotent = session.IsIdempotent(statement);
            _deadline = _startedAt + session.Ticks(statement.Timeout ?? session.Options.RequestTimeout);
            _plan = session.Plan(statement);
            _activity = RequestSpan.Start(statement, session);
            if (ct.CanBeCanceled)
                _registration = ct.UnsafeRegister(static state => ((Request)state!).Cancel(), this);
        }
        catch (Exception e)
        {
            _failure = e;
            Complete();
            return;
        }

        Send(null);
    }

    /// <summary>Sends it to <paramref name="node"/>, or to the next of the plan that takes it.</summary>
    private void Send(CqlNode? node)
    {
        var (before, retriesFor) = (_failure, _retriesFor);
        _retriesFor = null;
        try
        {
            for (node ??= _plan.Next(); node is not null; node = _plan.Next())
            {
                _node = node;

                // Once it is sent, the answer may be there before the next line, and this object another request.
                if (node.Pool.Pick()?.TrySend(this, _statement, _deadline) == true)
                {
                    if (retriesFor is not null)
                        CqlMetrics.Retries.Add(1, new KeyValuePair<string, object?>("reason", retriesFor));
                    return;
                }

                if (_cancelled) break;
            }

            _failure = _cancelled ? new OperationCanceledException(_ct) : before ?? _session.NoNode();
        }
        catch (Exception e)
        {
            _failure = e;
        }

        Complete();
    }

    private void Cancel()
    {
        _cancelled = true;
        Interlocked.MemoryBarrier();
        var (connection, stream) = Place;
        if (connection is null || !connection.Abandon(stream, this)) return;
        _failure = new OperationCanceledException(_ct);
        _next = Next.Complete;
        Queue();
    }

    private async Task TakeDetourAsync()
    {
        try
        {
            await _detour!(this).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _failure = e;
            _next = Next.Complete;
        }

        ((IThreadPoolWorkItem)this).Execute();
    }

    private async Task PrepareAgainAsync()
    {
        var unprepared = (CqlUnpreparedException)_failure!;
        var prepared = _statement.FindPrepared(unprepared.Id) ?? throw unprepared;
        var left = _session.Time.GetElapsedTime(_session.Time.GetTimestamp(), _deadline);
        try
        {
            await _session.PrepareAgainAsync(prepared, Place.Connection)
                .WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, _session.Time, _ct).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw CqlErrors.TimedOut.With(Place.Connection.EndPoint).AsCql(e);
        }
        catch (CqlServerException e) when (CqlSession.IsRefusal(e))
        {
            e.WasPreparing = true;
            throw;
        }
        catch (CqlException e) when (!prepared.IsOutdated)
        {
            // The node has done nothing with the statement, so that another may have it, idempotent or not.
            _failure = e;
            _next = Next.Complete;
            RetryOn(Next.NextNode, "not prepared");
            return;
        }

        CqlMetrics.Reprepared.Add(1);
        _prepares++;
        _failure = null;
        _next = Next.SameNode;
    }

    private async Task AwaitAgreementAsync()
    {
        _next = Next.Complete;
        await _session.AwaitSchemaAgreementAsync(_result!.SchemaChange!, _ct).ConfigureAwait(false);
    }

    private void Complete()
    {
        _registration.Dispose();
        RequestSpan.Stop(_activity, _session, _statement, _node, _startedAt, _result, _failure);
        if (!_statement.KeepAfterExecution) _statement.Release();
        if (_failure is { } failure) _core.SetException(failure);
        else _core.SetResult(_result!);
    }

    private void Recycle()
    {
        (_session, _statement, _plan, _node) = (null!, null!, default, null);
        (_detour, _result, _failure, _activity, _retriesFor) = (null, null, null, null, null);
        (_registration, _cancelled, _ct, Place) = (default, false, default, default);
        (_idempotent, _retries, _prepares, _next) = (false, 0, 0, Next.Complete);
        Pool<Request>.Return(this);
    }
}
