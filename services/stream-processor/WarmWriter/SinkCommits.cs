using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>
/// Tells the log how far a partition is stored, beside the writes, now and then while they go on and soon after the
/// last. The store's own position rules; the log's is for retention and lag.
/// </summary>
internal sealed class SinkCommits(IEventLog log, string group, TopicPartition partition, TimeProvider time)
    : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ended = new();
    private Task _committing = Task.CompletedTask;
    private long _committedAt = time.GetTimestamp();
    private long _committed;
    private long _stored;
    private bool _isCommitting;

    /// <summary>Fails with what an earlier commit failed with.</summary>
    public Task StoredAsync(long next)
    {
        lock (_gate)
        {
            _stored = next;
            if (_isCommitting) return Task.CompletedTask;
            if (_committing.IsFaulted) return _committing;
            _isCommitting = true;
            _committing = Task.Run(CommitAsync);
            return Task.CompletedTask;
        }
    }

    /// <summary>Commits at once what is stored.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _committing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.Dispose();
    }

    private async Task CommitAsync()
    {
        try
        {
            while (IsBehind(out var next))
            {
                var pause = Interval - time.GetElapsedTime(_committedAt);
                if (pause > TimeSpan.Zero && !_ended.IsCancellationRequested)
                {
                    await Task.Delay(pause, time, _ended.Token)
                        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    continue;
                }

                await log.CommitAsync(group, partition, next);
                (_committed, _committedAt) = (next, time.GetTimestamp());
            }
        }
        catch
        {
            lock (_gate) _isCommitting = false;
            throw;
        }
    }

    private bool IsBehind(out long next)
    {
        lock (_gate)
        {
            next = _stored;
            return _isCommitting = next != _committed;
        }
    }
}
