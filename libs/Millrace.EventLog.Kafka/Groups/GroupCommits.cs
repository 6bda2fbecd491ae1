using Millrace.Contracts;

namespace Millrace.EventLog.Kafka.Groups;

/// <summary>
/// The commits of one group: one request at a time, which carries the newest offset of each partition that came while
/// the one before was under way.
/// </summary>
internal sealed class GroupCommits(Func<IReadOnlyCollection<KeyValuePair<TopicPartition, CommittedOffset>>, Task> send)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TopicPartition, CommittedOffset> _last = [];
    private Dictionary<TopicPartition, CommittedOffset> _waiting = [];
    private TaskCompletionSource _round = NewRound();
    private bool _isSending;

    /// <summary>What was committed last.</summary>
    public IReadOnlyList<KeyValuePair<TopicPartition, CommittedOffset>> Last
    {
        get
        {
            lock (_gate) return [.. _last];
        }
    }

    public Task AddAsync(TopicPartition partition, CommittedOffset offset)
    {
        lock (_gate)
        {
            _waiting[partition] = offset;
            var round = _round.Task;
            if (_isSending) return round;
            _isSending = true;
            _ = SendAllAsync();
            return round;
        }
    }

    private static TaskCompletionSource NewRound() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task SendAllAsync()
    {
        await Task.Yield();
        while (Take() is var (offsets, round) && round is not null)
        {
            try
            {
                await send(offsets).ConfigureAwait(false);
                lock (_gate)
                {
                    foreach (var (partition, offset) in offsets) _last[partition] = offset;
                }

                round.SetResult();
            }
            catch (Exception e)
            {
                round.SetException(e);
            }
        }
    }

    private (Dictionary<TopicPartition, CommittedOffset> Offsets, TaskCompletionSource? Round) Take()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _isSending = false;
                return ([], null);
            }

            var taken = (_waiting, _round);
            _waiting = [];
            _round = NewRound();
            return taken;
        }
    }
}
