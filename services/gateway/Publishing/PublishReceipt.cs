namespace Millrace.Gateway.Publishing;

/// <summary>Waits for publishes of one partition that are in no connection's window, numbered from 0.</summary>
internal sealed class PublishReceipt(int count) : IPublishOwner
{
    private readonly AutoSignal _room = new();
    private readonly TaskCompletionSource<bool> _durable = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _hasFailed;

    /// <summary>The log has failed: nothing more may be taken.</summary>
    public bool HasFailed => _hasFailed;

    /// <summary>Why it was not durable.</summary>
    public bool IsLogFull { get; private set; }

    /// <summary>Whether the log has all of them.</summary>
    public Task<bool> Durable => _durable.Task;

    public ValueTask WaitForRoomAsync() => _room.WaitAsync();

    public void OnDurable(int partition, long lastNumber, long firstOffset)
    {
        if (lastNumber == count - 1) _durable.TrySetResult(true);
    }

    public void StopPublishing() => _hasFailed = true;

    public void OnLogFailed(int partition, LogFailure failure)
    {
        IsLogFull = failure == LogFailure.Full;
        _durable.TrySetResult(false);
        _room.Call();
    }

    public void OnRoom() => _room.Call();
}
