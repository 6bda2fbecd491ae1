using Millrace.Cql.Observability;
using Millrace.Cql.Protocol;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Connections;

/// <summary>What arrives.</summary>
internal sealed partial class Connection
{
    private const int EventStream = -1;

    // Whoever goes on for so long does not keep the others from it any more.
    private static readonly TimeSpan TurnHeldMax = TimeSpan.FromMilliseconds(100);

    private readonly Pace _pace = new();
    private readonly TaskCompletionSource _threadsDone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Turn _turn = new();

    private void BeginTurn(Turn turn) =>
        new Thread(() => Read(turn)) { IsBackground = true, Name = $"cql {EndPoint}" }.UnsafeStart();

    private void Read(Turn turn)
    {
        try
        {
            do Take(_stream.Read(_reader.Free));
            while (GoOn(turn));
            return;
        }
        catch (Exception e)
        {
            Fail(e);
        }

        _threadsDone.TrySetResult();
    }

    /// <summary>Those whose answers were read go on. False when another thread has taken over.</summary>
    private bool GoOn(Turn turn)
    {
        if (_pace.IsQuick) return turn.Run(_pace);
        turn.Queue();
        return true;
    }

    private void RelieveTurn()
    {
        var turn = _turn;
        if (!turn.TryEnd(TurnHeldMax)) return;
        _pace.Pause();
        _turn = new Turn();
        BeginTurn(_turn);
    }

    private void Take(int count)
    {
        if (count == 0) throw CqlErrors.ConnectionLost.With(EndPoint, "The node closed it.").AsCql();
        Volatile.Write(ref _lastReadAt, _time.GetTimestamp());
        _reader.Advance(count);
        Dispatch();
    }

    private void Fail(Exception e)
    {
        if (e is CqlException { Code: "CQ-9005" or "CQ-9006" }) CqlMetrics.ProtocolViolations.Add(1);
        Close(Lost(e));
        _turn.Queue();
    }

    private void Dispatch()
    {
        while (_reader.TryRead(out var header, out var body))
        {
            if (header.Stream == EventStream)
            {
                if (header.Opcode == Opcode.Event) OnEvent?.Invoke(ServerEvent.Read(body));
                continue;
            }

            // From the answer to STARTUP on, v5 speaks in frames, both ways.
            if (Version >= 5 && !_reader.Framed && header.Opcode is Opcode.Ready or Opcode.Authenticate)
                _reader.Framed = _writer.Framed = true;

            StreamOwner owner;
            IResponseHandler? handler;
            lock (_gate)
            {
                owner = _streams.Complete(header.Stream, out handler);
                if (owner != StreamOwner.None) _inFlight--;
            }

            if (owner == StreamOwner.Handler) Answer(handler!, header, body);
            else if (owner == StreamOwner.None && !IsClosed)
                throw CqlErrors.ProtocolViolated.With($"an answer on stream {header.Stream}, where none is due")
                    .AsCql();
        }
    }

    private void Answer(IResponseHandler handler, EnvelopeHeader header, ReadOnlySpan<byte> body)
    {
        try
        {
            if (handler.OnResponse(this, header, body) is { } next) _turn.Add(next);
        }
        catch (Exception e)
        {
            // Where one answer is not understood, none after it can be trusted.
            var reason = e as CqlException ?? CqlErrors.ProtocolViolated.With(header.Opcode, e.Message).AsCql(e);
            handler.OnFailure(this, reason);
            throw reason;
        }
    }
}
