using Millrace.Primitives;

namespace Millrace.Cql;

/// <summary>
/// Every failure of the client. Numbers below 9000 are the protocol's own error codes, in the way that it writes them
/// (0x1001 is CQ-1001); those from 9000 on are found by the client.
/// </summary>
public static class CqlErrors
{
    public static readonly ErrorDefinition NoNodeAvailable = new("CQ-9001",
        "No Cassandra node could take the request.",
        "None of the nodes that the request may go to has an open connection with room.",
        "See that the nodes run and are reachable; the client goes on reconnecting by itself.");

    public static readonly ErrorDefinition ConnectFailed = new("CQ-9002",
        "The Cassandra cluster cannot be reached.",
        "No contact point answered as a Cassandra node does.",
        "Check the contact points and the port, TLS, and that the nodes run.");

    public static readonly ErrorDefinition ConnectionLost = new("CQ-9003",
        "The connection to the node was lost while the request was under way.",
        "The node died, was cut off or stopped answering, and nobody knows whether the request took effect.",
        "Send it again if doing so twice does no harm; mark such statements Idempotent and the client does it.");

    public static readonly ErrorDefinition TimedOut = new("CQ-9004",
        "The request was not answered in time.",
        "The node, or the replicas behind it, took longer than the request's time-out.",
        "Look at the load of the nodes; raise RequestTimeout for statements that are slow by nature.");

    public static readonly ErrorDefinition ProtocolViolated = new("CQ-9005",
        "The server sent something that the protocol does not allow.",
        "Bytes were damaged on their way, or the other side is not a Cassandra node.",
        "Check what listens on the port; if it is Cassandra, report its version with this message.");

    public static readonly ErrorDefinition ResponseTooLarge = new("CQ-9006",
        "A response is larger than allowed.",
        "Its length passes ResponseBytesMax; no memory was taken for it.",
        "Read in smaller pages (PageSize), or raise ResponseBytesMax.");

    public static readonly ErrorDefinition TypeMismatch = new("CQ-9007",
        "The value does not fit the CQL type.",
        "The .NET type has no conversion to or from the column's type.",
        "Use the .NET type that the client's README lists beside the CQL type.");

    public static readonly ErrorDefinition TypeUnsupported = new("CQ-9008",
        "The CQL type is not supported.",
        "The client knows the types that its README lists.",
        "Read the column as bytes (byte[]), or convert it in the statement.");

    public static readonly ErrorDefinition ValueOutOfRange = new("CQ-9009",
        "The value cannot be held by the .NET type.",
        "It is null where the type has no null, out of the type's range, or its bytes are not of the type.",
        "Use a nullable or a larger type, such as CqlDecimal for decimal.");

    public static readonly ErrorDefinition StatementInvalid = new("CQ-9010",
        "The statement is not complete, or was sent already.",
        "It has fewer or more values than markers, or executing it gave it back to the client.",
        "Bind one value for each marker, in their order, and bind anew for each execution.");

    public static readonly ErrorDefinition PreparedChanged = new("CQ-9011",
        "The statement means something else after it was prepared again.",
        "Its table or types were changed so that the server gives it another id.",
        "Prepare it again.");

    public static readonly ErrorDefinition OptionsInvalid = new("CQ-9012",
        "The client's options are not valid.",
        "A value is missing or out of its range.",
        "Correct the option that is named.");

    public static readonly ErrorDefinition SchemaDisagreement = new("CQ-9013",
        "The nodes did not agree on the schema in time.",
        "After a change of the schema, nodes that are up still tell different versions of it.",
        "Wait, and look at `nodetool describecluster`; the change itself has been made.");

    public static readonly ErrorDefinition SessionClosed = new("CQ-9014",
        "The session is closed.",
        "It was disposed before or during the request.",
        "Dispose the session after all that uses it.");

    internal static readonly ErrorDefinition[] OfServer =
    [
        new("CQ-0000", "The node failed to handle the request.",
            "Something unexpected happened on the server; its message says what.",
            "Look into the node's log."),
        new("CQ-0010", "The node says that the client broke the protocol.",
            "The two do not understand each other.",
            "Report it with the versions of both."),
        new("CQ-0100", "The node refused the login.",
            "Name or password are wrong, or the node wants another way of authentication.",
            "Check Username and Password."),
        new("CQ-1000", "Not enough replicas are alive for the consistency level.",
            "The coordinator knew beforehand that it cannot be reached; nothing was done.",
            "Bring nodes back, or use a lower consistency level."),
        new("CQ-1001", "The node is overloaded.",
            "It refused the request to protect itself.",
            "Send less at a time, or add nodes."),
        new("CQ-1002", "The node is still starting.",
            "It was asked while it was joining the ring.",
            "Try again; the client takes another node where there is one."),
        new("CQ-1003", "TRUNCATE failed.",
            "A replica could not do it.",
            "See that all nodes are up, then try again."),
        new("CQ-1100", "The replicas did not acknowledge the write in time.",
            "Fewer of them answered than the consistency level asks; the write may have taken effect on some.",
            "Send it again if it is idempotent; look at the load of the nodes."),
        new("CQ-1200", "The replicas did not answer the read in time.",
            "Fewer of them answered than the consistency level asks.",
            "Try again; look at the load of the nodes and at how much is read at a time."),
        new("CQ-1300", "A replica failed while reading.",
            "It met an error, such as too many tombstones.",
            "Look into the logs of the replicas."),
        new("CQ-1400", "A user-defined function failed.",
            "The function threw.",
            "Correct the function or its arguments."),
        new("CQ-1500", "A replica failed while writing.",
            "It met an error; the write may have taken effect on others.",
            "Look into the logs of the replicas."),
        new("CQ-1600", "The node has no room for change data capture.",
            "Writes to tables with cdc are refused until their log was consumed.",
            "See that the consumer of the cdc log runs."),
        new("CQ-1700", "Whether the compare-and-set took effect is unknown.",
            "Too few replicas answered its last step.",
            "Read the row at SERIAL to learn it."),
        new("CQ-2000", "The statement has a syntax error.",
            "The node could not parse it.",
            "Correct the statement."),
        new("CQ-2100", "The user may not do this.",
            "The role lacks the permission.",
            "Grant it, or log in as another."),
        new("CQ-2200", "The statement is not valid.",
            "It parses, and does not fit the schema or its own rules.",
            "Correct the statement or its values."),
        new("CQ-2300", "The statement is not valid because of configuration.",
            "A setting of the table or the node does not allow it.",
            "Correct the statement, or the setting that the message names."),
        new("CQ-2400", "The keyspace or table is there already.",
            "CREATE names something that exists.",
            "Say IF NOT EXISTS where that is meant."),
        new("CQ-2500", "The node does not know the prepared statement.",
            "It has restarted or forgotten it, and preparing it again did not help.",
            "Try again; the client prepares it again by itself."),
    ];

    /// <summary>The definition of one of the protocol's error codes; an unknown one is a server error.</summary>
    public static ErrorDefinition Of(ServerErrorCode code)
    {
        var name = code == ServerErrorCode.ProtocolError ? "CQ-0010" : $"CQ-{(int)code:X4}";
        return Array.Find(OfServer, definition => definition.Code == name) ?? OfServer[0];
    }

    internal static CqlException AsCql(this Error error, Exception? cause = null) => new(error, cause);
}
