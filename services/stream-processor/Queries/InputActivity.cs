using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// Whether anything came into any input of a query of late. A place of the first stage cannot see what waits in the
/// second for its watermark; where nothing came for so long, nothing but long windows can.
/// </summary>
internal sealed class InputActivity(
    IEventLog log, IReadOnlyList<TopicPartition> inputs, TimeProvider time, TimeSpan interval)
{
    /// <summary>Events may be ahead of their arrival by five minutes, and windows are about as long.</summary>
    private static readonly TimeSpan Lasts = TimeSpan.FromMinutes(15);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private long _total = -1;
    private long _grewAt;
    private long? _lookedAt;

    /// <summary>How often an idle partition is marked when nothing comes into any.</summary>
    public static TimeSpan QuietInterval { get; } = TimeSpan.FromMinutes(1);

    public async ValueTask<bool> IsRecentAsync(CancellationToken ct)
    {
        await _turn.WaitAsync(ct);
        try
        {
            if (_lookedAt is null || time.GetElapsedTime(_lookedAt.Value) >= interval) await LookAsync(ct);
            return time.GetElapsedTime(_grewAt) < Lasts;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        _lookedAt = time.GetTimestamp();
        var total = (await Task.WhenAll(inputs.Select(input => log.RangeAsync(input, ct).AsTask())))
            .Sum(range => range.Next);
        if (total == _total) return;
        (_total, _grewAt) = (total, time.GetTimestamp());
    }
}
