using Millrace.Cql.Protocol;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Connections;

/// <summary>The answer to a request of the client itself.</summary>
internal sealed record Reply(EnvelopeHeader Header, byte[] Body)
{
    public RowSet Rows(ResultMetadata? known = null) => ResultReader.Read(Header, Body, known);
}

/// <summary>A request of the client itself: login, heartbeat, PREPARE, reading the ring.</summary>
internal sealed class Call() : TaskCompletionSource<Reply>(TaskCreationOptions.RunContinuationsAsynchronously),
    IResponseHandler
{
    public (Connection Connection, int Stream) Place { get; set; }

    public bool IsCancelled => false;

    public IThreadPoolWorkItem? OnResponse(Connection connection, EnvelopeHeader header, ReadOnlySpan<byte> body)
    {
        if (header.Opcode == Opcode.Error) TrySetException(ErrorReader.Read(header, body, connection.EndPoint));
        else TrySetResult(new Reply(header, body.ToArray()));
        return null;
    }

    public void OnFailure(Connection connection, CqlException reason) => TrySetException(reason);
}
