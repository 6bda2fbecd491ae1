using Millrace.Primitives;

namespace Millrace.Batch;

/// <summary>
/// One statement's time on an engine: its place among the others, its time limit, and how it failed.
/// </summary>
internal sealed class BatchTurn : IAsyncDisposable
{
    private readonly BatchTurns _turns;
    private readonly string _sql;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _either;
    private readonly long _startedAt;
    private readonly List<IAsyncDisposable> _owned = [];
    private bool _began;
    private bool _disposed;

    public BatchTurn(BatchTurns turns, string sql, CancellationToken caller)
    {
        _turns = turns;
        _sql = sql;
        _caller = caller;
        _timeout = new CancellationTokenSource(turns.Timeout, turns.Time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(caller, _timeout.Token);
        _startedAt = turns.Time.GetTimestamp();
    }

    /// <summary>Ends with the caller's patience or the time limit.</summary>
    public CancellationToken Token => _either.Token;

    public async ValueTask BeginAsync()
    {
        try
        {
            await _turns.Places.WaitAsync(Token).ConfigureAwait(false);
            _began = true;
        }
        catch (OperationCanceledException)
        {
            throw Ended();
        }
    }

    /// <summary>What the statement needs while it runs; it goes when the turn ends.</summary>
    public void Own(IAsyncDisposable owned) => _owned.Add(owned);

    /// <summary>Runs engine code that blocks, aside.</summary>
    public Task<T> RunAsync<T>(Func<T> work) => AwaitAsync(() => Task.Run(work, Token));

    /// <summary>Runs engine code; what it throws becomes one of our errors.</summary>
    public async Task<T> AwaitAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception e) when (Token.IsCancellationRequested
            && (e is OperationCanceledException or MillraceException || _turns.IsRefusal(e)))
        {
            throw Ended();
        }
        catch (MillraceException e)
        {
            _turns.Metrics.Failed(e.Error.Definition == BatchErrors.Refused ? "refused" : "failed");
            throw;
        }
        catch (Exception e) when (_turns.IsRefusal(e))
        {
            _turns.Metrics.Failed("refused");
            throw BatchErrors.Refused.With(SqlShown.Shortened(_sql), e.Message.Trim()).AsException(e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        for (var last = _owned.Count - 1; last >= 0; last--)
            await _owned[last].DisposeAsync().ConfigureAwait(false);
        if (_began)
        {
            _turns.Metrics.Ran(_turns.Time.GetElapsedTime(_startedAt));
            _turns.Places.Release();
        }

        _either.Dispose();
        _timeout.Dispose();
    }

    private Exception Ended()
    {
        if (_caller.IsCancellationRequested)
        {
            _turns.Metrics.Failed("cancelled");
            return new OperationCanceledException(_caller);
        }

        _turns.Metrics.Failed("timeout");
        return BatchErrors.TimedOut.With(SqlShown.Shortened(_sql)).AsException();
    }
}

/// <summary>The statements that run at once on an engine, and what all turns have in common.</summary>
/// <param name="isRefusal">Whether the exception is the engine's way of refusing a statement.</param>
internal sealed class BatchTurns(
    BatchOptions options, BatchMetrics metrics, TimeProvider time, Func<Exception, bool> isRefusal) : IDisposable
{
    public SemaphoreSlim Places { get; } = new(options.ConcurrentQueriesMax);

    public TimeSpan Timeout => options.QueryTimeout;

    public BatchMetrics Metrics => metrics;

    public TimeProvider Time => time;

    public bool IsRefusal(Exception e) => isRefusal(e);

    /// <summary>Waits until there is a place.</summary>
    public async ValueTask<BatchTurn> TakeAsync(string sql, CancellationToken ct)
    {
        var turn = new BatchTurn(this, sql, ct);
        try
        {
            await turn.BeginAsync().ConfigureAwait(false);
            return turn;
        }
        catch
        {
            await turn.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public void Dispose() => Places.Dispose();
}

/// <summary>How a statement is shown in errors.</summary>
internal static class SqlShown
{
    private const int LengthMax = 200;

    public static string Shortened(string sql) => sql.Length <= LengthMax ? sql : sql[..LengthMax] + "...";
}
