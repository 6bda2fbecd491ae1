using Millrace.Gateway.Sessions;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt;
using Millrace.Mqtt.Session;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Mqtt;

/// <summary>
/// Messages to the client. Whoever brings something (a message, an acknowledgement, the end of a flush) calls
/// <see cref="Send"/>; one at a time sends, and looks again until nothing is left that may go.
/// </summary>
internal sealed partial class MqttConnection
{
    private const int LoadMax = 100;
    private const long LoadBytesMax = 1 << 20;

    /// <summary>A message that is not in the store. False: the connection is ending, or has no room.</summary>
    /// <param name="share">By which others may have it when this client does not take it; none: nobody else.</param>
    public bool TryDeliver(OutboundMessage message, out string? refusal, SpaceShare share = default)
    {
        var limits = _meter!.Limits.Queue;
        Outbox outbox;
        lock (_output)
        {
            if (End is not null || _isOutputClosed || _session.State != SessionState.Connected)
            {
                refusal = "not-connected";
                return false;
            }

            outbox = OutboxLocked();
            refusal = outbox.TryWait(new LiveMessage(message, share), limits);
            if (refusal is not null) return false;
        }

        Send(outbox);
        return true;
    }

    /// <summary>The store has messages for the session that were not there before.</summary>
    public void QueueGrew()
    {
        Outbox outbox;
        lock (_output)
        {
            _deviceSession!.HasQueued = true;
            if (_session.State != SessionState.Connected) return;
            outbox = OutboxLocked();
            outbox.HasStored = true;
        }

        Send(outbox);
    }

    private Outbox OutboxLocked() => _deviceSession!.Outbox ??= new Outbox(_session.OutboundMax, runtime.QueueMemory);

    /// <summary>False: the answer to a message that is not known has to wait for a flush.</summary>
    private bool TryTakeAcknowledgement(in SessionStep step)
    {
        var outbox = _deviceSession?.Outbox;
        var outcome = AcknowledgeOutcome.Unknown;
        lock (_output)
        {
            if (outbox is not null) outcome = Acknowledge(outbox, step);
        }

        switch (outcome)
        {
            case AcknowledgeOutcome.Mismatch:
                Break(PacketDefect.AcknowledgementMismatch);
                return true;
            case AcknowledgeOutcome.Unknown when step.Acknowledgement == PacketType.PubRec:
                var packetId = step.PacketId;
                return TryReply(target => _session.Release(target, packetId, ReasonCode.PacketIdentifierNotFound));
            case AcknowledgeOutcome.Done:
                runtime.Metrics.Delivery("done");
                if (step.Reason.IsFailure()) runtime.Metrics.DeliveryLost("refused-by-client");
                break;
        }

        if (outcome != AcknowledgeOutcome.Unknown) Send(outbox!);
        return true;
    }

    private static AcknowledgeOutcome Acknowledge(Outbox outbox, in SessionStep step)
    {
        var outcome = outbox.Window.Acknowledge(step.Acknowledgement, step.PacketId, step.Reason, out var sequence);
        if (outcome == AcknowledgeOutcome.Done) outbox.Acknowledged(sequence);
        if (outcome == AcknowledgeOutcome.Received) outbox.Received.Add(sequence);
        return outcome;
    }

    private void Send(Outbox outbox)
    {
        if (outbox.TryStart()) outbox.Sending = Task.Run(() => SendAsync(outbox));
    }

    private async Task SendAsync(Outbox outbox)
    {
        var session = _deviceSession!;
        try
        {
            do
            {
                while (End is null)
                {
                    await SaveAcknowledgedAsync(session, outbox).ConfigureAwait(false);
                    if (SendSome(session, outbox) || !await LoadAsync(session, outbox).ConfigureAwait(false)) break;
                }

                _taken?.Call();
            }
            while (!outbox.TryStop());
        }
        catch (Exception failure)
        {
            FailSession(failure);
            while (!outbox.TryStop())
            {
                // Others have called meanwhile; the connection has ended for them as well.
            }
        }
    }

    /// <summary>
    /// Nothing is sent any more. What others of a share may have goes on to them, and what the client has acknowledged
    /// is saved.
    /// </summary>
    private async ValueTask StopSendingAsync(DeviceSession session, Outbox outbox)
    {
        while (!outbox.TryStart()) await outbox.Sending.ConfigureAwait(false);
        int left;
        List<LiveMessage> shared;
        lock (_output)
        {
            left = outbox.WaitingCount + (session.IsStored ? 0 : outbox.Window.Count);
            shared = outbox.TakeShared();
        }

        if (left > shared.Count) runtime.Metrics.DeliveryLost("connection-ended", left - shared.Count);
        try
        {
            if (shared.Count > 0) await runtime.Spaces.PassOnAsync(_member!, shared).ConfigureAwait(false);
        }
        finally
        {
            await SaveAcknowledgedAsync(session, outbox).ConfigureAwait(false);
        }
    }

    private async ValueTask SaveAcknowledgedAsync(DeviceSession session, Outbox outbox)
    {
        List<long> done;
        List<long> received;
        lock (_output) (done, received) = outbox.TakeAcknowledged();
        if (session.IsStored)
        {
            var store = runtime.Sessions.Store;
            if (received.Count > 0)
                Owns(await store.MarkReceivedAsync(session.Key, session.Epoch, received).ConfigureAwait(false));
            if (done.Count > 0)
                Owns(await store.RemoveAsync(session.Key, session.Epoch, done).ConfigureAwait(false));
            if (done.Count + received.Count > 0) _member?.Free();
        }

        lock (_output)
        {
            foreach (var sequence in received) outbox.Releases.Enqueue(sequence);
        }
    }

    /// <summary>Reads what the store has for the session; false: nothing came of it.</summary>
    private async ValueTask<bool> LoadAsync(DeviceSession session, Outbox outbox)
    {
        lock (_output)
        {
            if (!outbox.HasStored || outbox.Loaded.Count > 0 || !session.IsStored) return false;
            outbox.HasStored = false;
        }

        var loaded = await runtime.Sessions.Store
            .QueueAsync(session.Key, outbox.LoadedUpTo, LoadMax, LoadBytesMax).ConfigureAwait(false);
        lock (_output)
        {
            foreach (var each in loaded) outbox.Loaded.Enqueue(each);
            if (loaded.Count == 0) return false;
            outbox.LoadedUpTo = loaded[^1].Sequence;
            outbox.HasStored = true;
            return true;
        }
    }
}
