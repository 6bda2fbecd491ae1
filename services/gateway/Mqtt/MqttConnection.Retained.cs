using Millrace.Gateway.Publishing;
using Millrace.Gateway.TopicSpaces;

namespace Millrace.Gateway.Mqtt;

/// <summary>
/// What is retained, to a client that has subscribed: beside the reader, which takes the acknowledgements that make
/// room for more of it.
/// </summary>
internal sealed partial class MqttConnection
{
    private volatile AutoSignal? _taken;
    private Task _sendingRetained = Task.CompletedTask;

    /// <summary>
    /// Until all that waits for the client has been sent; not what comes meanwhile, which may never end. False: the
    /// connection has ended.
    /// </summary>
    /// <param name="isHeldUp">There was no room, or something else to wait for: it has to happen first.</param>
    public async ValueTask<bool> WhenTakenAsync(bool isHeldUp)
    {
        if (isHeldUp && End is null) await _taken!.WaitAsync().ConfigureAwait(false);
        var left = LeftAfterAll();
        while (End is null && HasWaiting(left)) await _taken!.WaitAsync().ConfigureAwait(false);
        return End is null;
    }

    /// <summary>Who waits for something to happen has waited for this.</summary>
    public void LookAgainAfter(Task task) =>
        task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_taken!.Call);

    /// <summary>Goes on, if there is anything to send and nobody does.</summary>
    private void SendRetained()
    {
        if (_member is not { Retained: { } feed } member || End is not null || !feed.TryStart()) return;
        _taken ??= new AutoSignal();
        _sendingRetained = Task.Run(() => SendRetainedAsync(member, feed));
    }

    private async Task SendRetainedAsync(SpaceMember member, RetainedFeed feed)
    {
        try
        {
            await runtime.Spaces.SendRetainedAsync(member, feed, this).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            FailSession(failure);
            feed.Stop();
        }
    }

    private long LeftAfterAll()
    {
        lock (_output) return _deviceSession?.Outbox?.LeftAfterAll(_meter!.Limits.Queue.MessagesMax) ?? 0;
    }

    private bool HasWaiting(long left)
    {
        lock (_output) return _deviceSession?.Outbox is { IsHeldUp: true } outbox && outbox.Left < left;
    }
}
