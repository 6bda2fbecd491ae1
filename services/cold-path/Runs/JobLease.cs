namespace Millrace.ColdPath.Runs;

/// <summary>A job that is one runner's for as long as its lease in the stores lasts.</summary>
internal sealed class JobLease : IDisposable
{
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _lost;
    private readonly CancellationTokenSource _ended;

    /// <param name="until">When it is over, unless it is renewed.</param>
    /// <param name="ct">What ends the work for other reasons.</param>
    public JobLease(DateTimeOffset until, TimeProvider time, CancellationToken ct)
    {
        _time = time;
        _lost = new CancellationTokenSource(LeftOf(until), time);
        _ended = CancellationTokenSource.CreateLinkedTokenSource(ct, _lost.Token);
        Token = _ended.Token;
    }

    /// <summary>Ends the work: when the lease is lost, or nobody wants the work any more.</summary>
    public CancellationToken Token { get; }

    /// <summary>Whether the job may be another runner's by now.</summary>
    public bool IsLost => _lost.IsCancellationRequested;

    public void RenewedUntil(DateTimeOffset until) => _lost.CancelAfter(LeftOf(until));

    public Task LoseAsync() => _lost.CancelAsync();

    public Task EndAsync() => _ended.CancelAsync();

    public void Dispose()
    {
        _ended.Dispose();
        _lost.Dispose();
    }

    private TimeSpan LeftOf(DateTimeOffset until)
    {
        var left = until - _time.GetUtcNow();
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
