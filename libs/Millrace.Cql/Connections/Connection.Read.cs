using System.Net.Sockets;
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

    /// <summary>
    /// A plain socket is read by a thread that waits in the kernel for it alone. With a wait for all sockets, and a
    /// thread of the pool for what came, an answer costs more than twice as much.
    /// </summary>
    private Task ReadAsync() => _stream is NetworkStream plain ? ReadOnThread(plain.Socket) : ReadInPoolAsync();

    private Task ReadOnThread(Socket socket)
    {
        BeginTurn(socket, _turn);
        return _threadsDone.Task;
    }

    private void BeginTurn(Socket socket, Turn turn) =>
        new Thread(() => Read(socket, turn)) { IsBackground = true, Name = $"cql {EndPoint}" }.UnsafeStart();

    private void Read(Socket socket, Turn turn)
    {
        try
        {
            do
            {
                // Receive() alone would leave the waiting to the runtime once a write has had to wait.
                socket.Poll(Timeout.Infinite, SelectMode.SelectRead);
                Take(socket.Receive(_reader.Free.Span));
            }
            while (GoOn(turn));
            return;
        }
        catch (Exception e)
        {
            Fail(e);
        }

        _threadsDone.TrySetResult();
    }

    private async Task ReadInPoolAsync()
    {
        await Task.Yield();
        try
        {
            while (true)
            {
                Take(await _stream.ReadAsync(_reader.Free, CancellationToken.None).ConfigureAwait(false));
                _turn.Queue();
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }
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
        if (_stream is not NetworkStream plain || !turn.TryEnd(TurnHeldMax)) return;
        _pace.Pause();
        _turn = new Turn();
        BeginTurn(plain.Socket, _turn);
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
            else if (owner == StreamOwner.None && !_isClosed)
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
