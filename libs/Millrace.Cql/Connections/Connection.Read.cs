using Millrace.Cql.Observability;
using Millrace.Cql.Protocol;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Connections;

/// <summary>What arrives.</summary>
internal sealed partial class Connection
{
    private const int EventStream = -1;

    private async Task ReadAsync()
    {
        await Task.Yield();
        try
        {
            while (true)
            {
                var count = await _stream.ReadAsync(_reader.Free, CancellationToken.None).ConfigureAwait(false);
                if (count == 0) throw CqlErrors.ConnectionLost.With(EndPoint, "The node closed it.").AsCql();
                Volatile.Write(ref _lastReadAt, _time.GetTimestamp());
                _reader.Advance(count);
                Dispatch();
            }
        }
        catch (Exception e)
        {
            if (e is CqlException { Code: "CQ-9005" or "CQ-9006" }) CqlMetrics.ProtocolViolations.Add(1);
            Close(Lost(e));
        }
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
            handler.OnResponse(this, header, body);
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
