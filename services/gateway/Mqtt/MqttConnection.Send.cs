using Millrace.Gateway.Sessions;
using Millrace.Mqtt;
using Millrace.Mqtt.Session;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Mqtt;

/// <summary>Writing what waits in the outbox, as far as the client's window and the socket allow.</summary>
internal sealed partial class MqttConnection
{
    /// <summary>Then it is time for a flush: not all that waits for a slow client is copied to its socket.</summary>
    private const int FlushBytes = 64 << 10;

    private bool IsFlushDue => transport.Output.CanGetUnflushedBytes && transport.Output.UnflushedBytes >= FlushBytes;

    /// <summary>True: something holds it up, and will call again when it does not any more.</summary>
    private bool SendSome(DeviceSession session, Outbox outbox)
    {
        lock (_output)
        {
            for (var isMore = true; isMore;)
            {
                if (_isFlushing || _isOutputClosed || End is not null) return true;
                if (_session.State != SessionState.Connected) return true;
                var written = outbox.Releases.Count > 0;
                while (outbox.Releases.TryDequeue(out var sequence))
                    _session.Release(transport.Output, OutboundWindow.PacketIdOf(sequence), ReasonCode.Success);
                written |= SendWaiting(outbox);
                written |= SendLoaded(session, outbox);
                isMore = IsFlushDue;
                if (written || isMore) FlushLocked();
            }

            return _isFlushing || outbox.Loaded.Count > 0;
        }
    }

    private bool SendWaiting(Outbox outbox)
    {
        var written = false;
        while (!IsFlushDue && outbox.TryPeekWaiting(out var live))
        {
            var sequence = 0L;
            if (live.Message.Qos > 0)
            {
                if (!outbox.Window.MaySend(outbox.NextSequence)) break;
                sequence = outbox.TakeSequence();
            }

            outbox.LeaveWaiting();
            if (!Write(outbox, live.Message, sequence, isAgain: false)) continue;
            outbox.Sent(live, sequence);
            written = true;
        }

        return written;
    }

    private bool SendLoaded(DeviceSession session, Outbox outbox)
    {
        var written = false;
        while (!IsFlushDue && outbox.Loaded.TryPeek(out var queued))
        {
            if (queued.IsReceived)
            {
                outbox.LeaveLoaded();
                _session.Release(transport.Output, outbox.Window.Resume(queued.Sequence), ReasonCode.Success);
                written = true;
                continue;
            }

            if (!outbox.Window.MaySend(queued.Sequence)) break;
            outbox.LeaveLoaded();
            var isAgain = queued.Sequence <= session.SentBefore;
            if (Write(outbox, queued.Message, queued.Sequence, isAgain)) written = true;
            else outbox.Done.Add(queued.Sequence);
        }

        return written;
    }

    /// <summary>
    /// False, and counted: the message has expired, or is larger than the client takes. One that was sent before is
    /// sent again, expired or not: the client may know it by its packet identifier (§4.4).
    /// </summary>
    private bool Write(Outbox outbox, OutboundMessage message, long sequence, bool isAgain)
    {
        var left = message.ExpiresAt - runtime.Time.GetUtcNow();
        if (left <= TimeSpan.Zero && !isAgain)
        {
            runtime.Metrics.DeliveryLost("message-expired");
            return false;
        }

        var written = _session.Deliver(transport.Output, new Delivery
        {
            Topic = message.Topic,
            Qos = message.Qos,
            PacketId = message.Qos == 0 ? (ushort)0 : OutboundWindow.PacketIdOf(sequence),
            Duplicate = isAgain,
            Retain = message.Retain,
            Properties = message.Properties,
            ExpirySeconds = left is { } time
                ? (uint)Math.Clamp(Math.Ceiling(time.TotalSeconds), 0, uint.MaxValue)
                : null,
            SubscriptionIds = message.SubscriptionIds,
            Payload = message.Payload,
        });
        if (!written) runtime.Metrics.DeliveryLost("too-large-for-client");
        else
        {
            runtime.Metrics.Delivery(isAgain ? "sent-again" : "sent");
            if (message.Qos > 0) outbox.Window.Send(sequence, message.Qos);
        }

        return written;
    }
}
