using Millrace.Cql.Protocol;
using Millrace.Cql.Wire;

namespace Millrace.Cql;

/// <summary>
/// Something to execute. A statement is executed once: the session takes it and, when the answer is there, keeps it for
/// the next one to bind. What is not set here is taken from <see cref="CqlOptions"/>.
/// </summary>
public abstract class CqlStatement : IMessage
{
    private protected CqlStatement()
    {
    }

    public Consistency? Consistency { get; set; }

    /// <summary>For compare-and-set: <c>Serial</c> or <c>LocalSerial</c>.</summary>
    public Consistency? SerialConsistency { get; set; }

    /// <summary>Microseconds since 1970, which decide between two writes of one cell.</summary>
    public long? Timestamp { get; set; }

    /// <summary>
    /// Executing it twice is like once, so it may be sent again after a failure of which nobody knows more.
    /// </summary>
    public bool? Idempotent { get; set; }

    /// <summary>How long to wait for the answer, tries on other nodes included.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>The only node to ask; unset, that is the client's choice.</summary>
    public CqlNode? Node { get; set; }

    /// <summary>Rows a page.</summary>
    public int? PageSize { get; set; }

    /// <summary>Where to go on reading: <see cref="RowSet.PagingState"/> of the page before.</summary>
    public ReadOnlyMemory<byte> PagingState { get; set; }

    /// <summary>Has the server record what it does; <see cref="RowSet.TracingId"/> names the record.</summary>
    public bool Tracing { get; set; }

    Opcode IMessage.Opcode => Opcode;

    EnvelopeFlags IMessage.Flags => Tracing ? EnvelopeFlags.Tracing : EnvelopeFlags.None;

    internal abstract Opcode Opcode { get; }

    /// <summary>What it is for metrics and spans: SELECT, INSERT, BATCH and so on.</summary>
    internal abstract string Operation { get; }

    /// <summary>
    /// The text for spans, when it has markers for its values. Where there are none, values may stand in the text
    /// itself, and it is kept.
    /// </summary>
    internal abstract string? ParameterizedText { get; }

    /// <summary>The table, with its keyspace, when that is known and is one.</summary>
    internal virtual string? Collection => null;

    internal virtual string Keyspace => "";

    /// <summary>The prepared statement whose result columns the answer has, when it is one.</summary>
    internal virtual PreparedStatement? Prepared => null;

    internal virtual int BatchSize => 0;

    /// <summary>Whether it may be executed twice, from what it is made of; null when it cannot be known.</summary>
    internal virtual bool? IsIdempotentByNature => null;

    /// <summary>Timestamp, consistency and the rest as they are to be sent.</summary>
    internal ResolvedOptions Resolved { get; set; }

    /// <summary>The columns that the server was told the client knows.</summary>
    internal ResultMetadata? KnownResult { get; set; }

    /// <summary>The next page is read with it.</summary>
    internal bool KeepAfterExecution { get; set; }

    void IMessage.Write(WireBuffer buffer, int version) => Write(buffer, version);

    internal abstract void Write(WireBuffer buffer, int version);

    /// <summary>Throws a CQ-9010 when it cannot be sent.</summary>
    internal abstract void Check();

    /// <summary>The token of the partition that it writes or reads, when that is known.</summary>
    internal abstract bool TryGetToken(out long token);

    /// <summary>The statement of a batch, or itself, that has this id.</summary>
    internal virtual PreparedStatement? FindPrepared(ReadOnlySpan<byte> id) => null;

    /// <summary>Its answer is there; nobody uses it any more.</summary>
    internal virtual void Release()
    {
    }

    private protected void ResetOptions()
    {
        (Consistency, SerialConsistency, Timestamp) = (null, null, null);
        (Idempotent, Timeout, PageSize, Node) = (null, null, null, null);
        (PagingState, Tracing, KeepAfterExecution, KnownResult) = (default, false, false, null);
    }
}

/// <summary>What applies to one execution, after the options were looked at.</summary>
internal readonly record struct ResolvedOptions(
    Consistency Consistency, Consistency? SerialConsistency, long Timestamp, int PageSize);
