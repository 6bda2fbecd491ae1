using Millrace.Cql.Wire;

namespace Millrace.Cql.Connections;

/// <summary>
/// Who waits for the answer on a stream. One of <see cref="OnResponse"/> and <see cref="OnFailure"/> is called for
/// each time that it was sent. Both are called on a connection's own thread and must not hold it up.
/// </summary>
internal interface IResponseHandler
{
    /// <summary>Where it waits. Set by the connection, under its lock.</summary>
    (Connection Connection, int Stream) Place { get; set; }

    /// <summary>Nobody wants the answer any more, so it is not sent.</summary>
    bool IsCancelled { get; }

    /// <summary>
    /// The body is valid during the call only. When it throws, <see cref="OnFailure"/> follows. What it gives is run
    /// once all is read that has arrived.
    /// </summary>
    IThreadPoolWorkItem? OnResponse(Connection connection, EnvelopeHeader header, ReadOnlySpan<byte> body);

    /// <summary>There will be no answer: the connection was lost, or the deadline has passed.</summary>
    void OnFailure(Connection connection, CqlException reason);
}
