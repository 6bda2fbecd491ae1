using System.Net;
using Millrace.Primitives;

namespace Millrace.Cql;

/// <summary>A request, or a connection, that failed. <see cref="Error"/> says how, by a stable code.</summary>
public class CqlException(Error error, Exception? cause = null) : Exception(error.ToString(), cause)
{
    public Error Error { get; } = error;

    public string Code => Error.Code;
}

/// <summary>The protocol's error codes (section 8).</summary>
public enum ServerErrorCode
{
    ServerError = 0x0000,
    ProtocolError = 0x000A,
    BadCredentials = 0x0100,
    Unavailable = 0x1000,
    Overloaded = 0x1001,
    IsBootstrapping = 0x1002,
    TruncateError = 0x1003,
    WriteTimeout = 0x1100,
    ReadTimeout = 0x1200,
    ReadFailure = 0x1300,
    FunctionFailure = 0x1400,
    WriteFailure = 0x1500,
    CdcWriteFailure = 0x1600,
    CasWriteUnknown = 0x1700,
    SyntaxError = 0x2000,
    Unauthorized = 0x2100,
    Invalid = 0x2200,
    ConfigError = 0x2300,
    AlreadyExists = 0x2400,
    Unprepared = 0x2500,
}

/// <summary>A node answered with an error.</summary>
public class CqlServerException(ServerErrorCode serverCode, string message, EndPoint? node)
    : CqlException(CqlErrors.Of(serverCode).With(node, message))
{
    public ServerErrorCode ServerCode { get; } = serverCode;

    /// <summary>What the node said.</summary>
    public string ServerMessage { get; } = message;

    /// <summary>
    /// A node had forgotten the statement and refused to prepare it again: its table, say, is not there any more.
    /// </summary>
    public bool WasPreparing { get; internal set; }

    /// <summary>The node that said it.</summary>
    public EndPoint? Node { get; } = node;
}

/// <summary>Too few replicas were alive; nothing was done.</summary>
public sealed class CqlUnavailableException(
    string message, EndPoint? node, Consistency consistency, int required, int alive)
    : CqlServerException(ServerErrorCode.Unavailable, message, node)
{
    public Consistency Consistency { get; } = consistency;

    public int Required { get; } = required;

    public int Alive { get; } = alive;
}

/// <summary>How far a request came that too few replicas answered or that failed on some of them.</summary>
public sealed record ReplicaAnswers(Consistency Consistency, int Received, int Required)
{
    /// <summary>For reads: whether the replica that was asked for the data itself sent it.</summary>
    public bool DataPresent { get; init; }

    /// <summary>For writes: SIMPLE, BATCH, UNLOGGED_BATCH, COUNTER, BATCH_LOG, CAS, VIEW or CDC.</summary>
    public string WriteType { get; init; } = "";

    /// <summary>Replicas that failed, with the server's reason code.</summary>
    public IReadOnlyList<(IPAddress Replica, int Reason)> Failures { get; init; } = [];
}

/// <summary>
/// Too few replicas answered in time (<see cref="ServerErrorCode.WriteTimeout"/>,
/// <see cref="ServerErrorCode.ReadTimeout"/>, <see cref="ServerErrorCode.CasWriteUnknown"/>), or some of them failed
/// (<see cref="ServerErrorCode.WriteFailure"/>, <see cref="ServerErrorCode.ReadFailure"/>).
/// </summary>
public sealed class CqlReplicaException(
    ServerErrorCode code, string message, EndPoint? node, ReplicaAnswers answers)
    : CqlServerException(code, message, node)
{
    public ReplicaAnswers Answers { get; } = answers;
}

/// <summary>What a CREATE names is there already.</summary>
public sealed class CqlAlreadyExistsException(string message, EndPoint? node, string keyspace, string table)
    : CqlServerException(ServerErrorCode.AlreadyExists, message, node)
{
    public string Keyspace { get; } = keyspace;

    /// <summary>Empty when it is the keyspace that exists.</summary>
    public string Table { get; } = table;
}

/// <summary>The node forgot a prepared statement; the client prepares it again.</summary>
internal sealed class CqlUnpreparedException(string message, EndPoint? node, byte[] id)
    : CqlServerException(ServerErrorCode.Unprepared, message, node)
{
    public byte[] Id { get; } = id;
}
