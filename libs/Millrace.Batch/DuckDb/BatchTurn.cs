using DuckDB.NET.Data;

namespace Millrace.Batch.DuckDb;

/// <summary>
/// One statement's time on the engine: its place among the others, its time limit, and how it failed.
/// </summary>
internal sealed class BatchTurn : IDisposable
{
    private readonly SemaphoreSlim _turns;
    private readonly string _sql;
    private readonly BatchMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _either;
    private readonly long _startedAt;
    private DuckDbSession? _session;
    private bool _began;
    private bool _disposed;

    public BatchTurn(
        SemaphoreSlim turns, string sql, TimeSpan timeout, BatchMetrics metrics, TimeProvider time,
        CancellationToken caller)
    {
        _turns = turns;
        _sql = sql;
        _metrics = metrics;
        _time = time;
        _caller = caller;
        _timeout = new CancellationTokenSource(timeout, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(caller, _timeout.Token);
        _startedAt = time.GetTimestamp();
    }

    /// <summary>Ends with the caller's patience or the time limit.</summary>
    public CancellationToken Token => _either.Token;

    public async ValueTask BeginAsync()
    {
        try
        {
            await _turns.WaitAsync(Token).ConfigureAwait(false);
            _began = true;
        }
        catch (OperationCanceledException)
        {
            throw Ended();
        }
    }

    /// <summary>The session goes when the turn ends.</summary>
    public void Own(DuckDbSession session) => _session = session;

    /// <summary>Runs engine code, which blocks, aside; what it throws becomes one of our errors.</summary>
    public async Task<T> RunAsync<T>(Func<T> work)
    {
        try
        {
            return await Task.Run(work, Token).ConfigureAwait(false);
        }
        catch (Exception e) when (Token.IsCancellationRequested && e is DuckDBException or OperationCanceledException)
        {
            throw Ended();
        }
        catch (Exception e) when (e is DuckDBException or InvalidOperationException)
        {
            _metrics.Failed("refused");
            throw BatchErrors.Refused.With(DuckDbSession.Shortened(_sql), e.Message.Trim()).AsException(e);
        }
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _session?.Dispose();
        if (_began)
        {
            _metrics.Ran(_time.GetElapsedTime(_startedAt));
            _turns.Release();
        }

        _either.Dispose();
        _timeout.Dispose();
    }

    private Exception Ended()
    {
        if (_caller.IsCancellationRequested)
        {
            _metrics.Failed("cancelled");
            return new OperationCanceledException(_caller);
        }

        _metrics.Failed("timeout");
        return BatchErrors.TimedOut.With(DuckDbSession.Shortened(_sql)).AsException();
    }
}
