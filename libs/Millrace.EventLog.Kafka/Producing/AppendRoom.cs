namespace Millrace.EventLog.Kafka.Producing;

/// <summary>
/// Counts what is on its way to the brokers, and lets appends wait, first come first served, when that is too much. One
/// that is larger than all the room goes alone.
/// </summary>
internal sealed class AppendRoom(long bytesMax, int recordsMax)
{
    private readonly Lock _gate = new();
    private readonly Queue<Waiting> _waiting = new();
    private long _bytes;
    private int _records;

    /// <summary>Returns when there is room, which the caller then has.</summary>
    public ValueTask EnterAsync(int bytes, int records, CancellationToken ct)
    {
        Waiting waiting;
        lock (_gate)
        {
            if (_waiting.Count == 0 && TryTake(bytes, records)) return ValueTask.CompletedTask;
            waiting = new Waiting(bytes, records);
            _waiting.Enqueue(waiting);
        }

        return new ValueTask(WaitAsync(waiting, ct));
    }

    public void Exit(int bytes, int records)
    {
        lock (_gate)
        {
            _bytes -= bytes;
            _records -= records;
            while (_waiting.TryPeek(out var next))
            {
                // One that was cancelled takes no room.
                if (!next.Task.IsCompleted)
                {
                    if (!TryTake(next.Bytes, next.Records)) return;
                    if (!next.TrySetResult()) Give(next);
                }

                _waiting.Dequeue();
            }
        }
    }

    private async Task WaitAsync(Waiting waiting, CancellationToken ct)
    {
        await using var registration = ct.UnsafeRegister(
            static (state, token) => ((Waiting)state!).TrySetCanceled(token), waiting).ConfigureAwait(false);
        await waiting.Task.ConfigureAwait(false);
    }

    private bool TryTake(int bytes, int records)
    {
        if (_records > 0 && (_bytes + bytes > bytesMax || _records + records > recordsMax)) return false;
        _bytes += bytes;
        _records += records;
        return true;
    }

    private void Give(Waiting waiting)
    {
        _bytes -= waiting.Bytes;
        _records -= waiting.Records;
    }

    private sealed class Waiting(int bytes, int records)
        : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public int Bytes { get; } = bytes;

        public int Records { get; } = records;
    }
}
