using System.Buffers;
using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Session;

namespace Millrace.Gateway.Mqtt;

/// <summary>Reading: all packets of a read are taken before the next.</summary>
internal sealed partial class MqttConnection
{
    private enum Next
    {
        /// <summary>More bytes are needed.</summary>
        Read,

        /// <summary>CONNECT waits for its answer.</summary>
        Login,

        /// <summary>A publish waits for room in the window or in the partition.</summary>
        Wait,

        /// <summary>The device, or the hub, is over its rate.</summary>
        Slow,

        /// <summary>An answer has to wait until what was written before has left.</summary>
        Flush,

        /// <summary>Where QoS 2 publishes begin in the log has to be saved first.</summary>
        Scan,

        /// <summary>Subscriptions have to become durable first.</summary>
        Subscriptions,

        /// <summary>What was taken for topic spaces has to be brought there first.</summary>
        Spaces,
        End,
    }

    private async ValueTask ReadAsync()
    {
        _pausedSeconds = runtime.NowSeconds;
        if (TurnWait > TimeSpan.Zero) await PauseAsync(TurnWait).ConfigureAwait(false);
        while (End is null)
        {
            if (runtime.IsDraining)
            {
                await DrainAsync().ConfigureAwait(false);
                return;
            }

            if (_tagsChanged is not null) await ChangeAccessAsync().ConfigureAwait(false);
            if (IsScanIdle(runtime.NowSeconds)) await ForgetScanAsync(_deviceSession!).ConfigureAwait(false);
            await WaitForFlushAsync().ConfigureAwait(false);
            Listen();
            var read = await transport.Input.ReadAsync().ConfigureAwait(false);
            Pause();
            var buffer = read.Buffer;
            var next = Take(buffer, out var consumed);
            transport.Input.AdvanceTo(consumed, next == Next.Read ? buffer.End : consumed);
            if (_toSpaces.Count > 0) await PublishToSpacesAsync(_deviceSession!).ConfigureAwait(false);
            if (_deviceSession is { Releases.Count: > 0 } session) await ReleaseAsync(session).ConfigureAwait(false);
            if (next == Next.Login) await LoginAsync().ConfigureAwait(false);
            else if (next == Next.Wait) await WaitForRoomAsync().ConfigureAwait(false);
            else if (next == Next.Scan) await SaveScanAsync(_deviceSession!).ConfigureAwait(false);
            else if (next == Next.Subscriptions) await ChangeSubscriptionsAsync(_deviceSession!).ConfigureAwait(false);
            else if (next == Next.Slow) await SlowDownAsync().ConfigureAwait(false);
            else if (next == Next.Read && read.IsCompleted) TryEnd(ConnectionEnd.Lost);
            if (next == Next.Read) _slowedSinceNs = -1;
            SendRetained();
        }
    }

    /// <summary>
    /// Everything else is a pause: while the gateway does not read, silence is not the client's. Nor is it broken by
    /// the bytes of a packet that does not end (§3.1.2.10).
    /// </summary>
    private void Listen()
    {
        Volatile.Write(ref _readSeconds, _readSeconds + runtime.NowSeconds - _pausedSeconds);
        _isPaused = false;
    }

    private void Pause()
    {
        _pausedSeconds = runtime.NowSeconds;
        _isPaused = true;
    }

    private Next Take(in ReadOnlySequence<byte> buffer, out SequencePosition consumed)
    {
        AskAllowance();
        var cursor = new PacketCursor(buffer, PacketBytesMax);
        var run = new PublishRun(this);
        try
        {
            var next = Take(ref cursor, ref run);
            consumed = cursor.Consumed;
            return next;
        }
        finally
        {
            run.Exit();
            SendAnswers();
            if (cursor.Packets > 0) Volatile.Write(ref _readSeconds, runtime.NowSeconds);
            Charge(cursor.Packets + _moreFilters, cursor.Bytes);
            cursor.Dispose();
        }
    }

    private Next Take(ref PacketCursor cursor, ref PublishRun run)
    {
        while (End is null)
        {
            if (IsSpent(cursor)) return Next.Slow;
            if (!cursor.TryRead(out var header, out var body, out var defect))
            {
                if (defect == PacketDefect.None && !BeginsOtherwise(cursor)) return Next.Read;
                if (defect == PacketDefect.None) defect = PacketDefect.PacketUnexpected;
                run.Exit();
                return Break(defect);
            }

            _session.Feed(header, body, out var step);
            if (step.Kind == SessionStepKind.Publish)
            {
                var next = TakePublish(step.Publish, ref run);
                if (next == Next.Read) continue;
                cursor.PutBack();
                return next;
            }

            // What follows writes or ends, which is not done while the partition is locked.
            run.Exit();
            switch (step.Kind)
            {
                case SessionStepKind.Authenticate: return Next.Login;
                case SessionStepKind.Repeat when _toSpaces.Count > 0:
                    cursor.PutBack();
                    return Next.Spaces;
                case SessionStepKind.Wait:
                    runtime.Metrics.Paused("in-flight");
                    cursor.PutBack();
                    return Next.Wait;
                case SessionStepKind.Goodbye:
                    TryEnd(ConnectionEnd.Goodbye);
                    return Next.End;
                case SessionStepKind.Close: return Break(step.Defect);
                case SessionStepKind.Subscribe:
                    TakeSubscribe(step.Subscribe);
                    return Next.Subscriptions;
                case SessionStepKind.Unsubscribe:
                    TakeUnsubscribe(step.Unsubscribe);
                    return Next.Subscriptions;
            }

            if (TryReply(step)) continue;
            cursor.PutBack();
            return Next.Flush;
        }

        return Next.End;
    }

    /// <summary>
    /// What is no CONNECT is refused by its first byte: nothing is held for who has not shown who he is.
    /// </summary>
    private bool BeginsOtherwise(in PacketCursor cursor) =>
        _session.State == SessionState.AwaitingConnect && !cursor.IsEmpty
        && cursor.Next >> 4 != (int)PacketType.Connect;

    private int PacketBytesMax => _session.State == SessionState.AwaitingConnect
        ? (int)Math.Min(runtime.Options.ConnectPacketBytesMax.Bytes, _session.Limits.PacketBytesMax)
        : _session.Limits.PacketBytesMax;

    private bool TryReply(in SessionStep step) => step.Kind switch
    {
        SessionStepKind.Ping => TryReply(PacketWriter.PingResp),
        SessionStepKind.Repeat => RepeatReceipt(step.PacketId),
        SessionStepKind.Release => NoteRelease(step.PacketId, step.Reason),
        SessionStepKind.Delivered => TryTakeAcknowledgement(step),
        _ => true,
    };

    private Next Break(PacketDefect defect)
    {
        var end = ConnectionEnd.Malformed(defect);
        runtime.Metrics.Malformed(end.Reason);
        runtime.Log.Malformed(MqttErrors.Of(defect).Code, _login?.DeviceId, end.Reason);
        TryEnd(end);
        return Next.End;
    }

    /// <summary>Until the window has room and the partition called; then the publish is tried again.</summary>
    private async ValueTask WaitForRoomAsync()
    {
        do await _resume.WaitAsync().ConfigureAwait(false);
        while (End is null && !runtime.IsDraining && _session.AcksOrNull is { IsFull: true });
    }

    /// <summary>A client that does not take its answers is not read either.</summary>
    private async ValueTask WaitForFlushAsync()
    {
        while (IsFlushing && End is null && !runtime.IsDraining) await _resume.WaitAsync().ConfigureAwait(false);
    }

    private async ValueTask DrainAsync()
    {
        while (End is null && _session.AcksOrNull is { Count: > 0 }) await _resume.WaitAsync().ConfigureAwait(false);
        TryEnd(ConnectionEnd.Shutdown);
    }
}
