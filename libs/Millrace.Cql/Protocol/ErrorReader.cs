using System.Net;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Protocol;

/// <summary>Reads the bodies of ERROR (section 8).</summary>
internal static class ErrorReader
{
    public static CqlServerException Read(EnvelopeHeader header, ReadOnlySpan<byte> body, EndPoint? node)
    {
        var reader = new WireReader(body);
        ResponsePrelude.Read(ref reader, header.Flags);
        var code = (ServerErrorCode)reader.Int();
        var message = reader.String();
        return code switch
        {
            ServerErrorCode.Unavailable => new CqlUnavailableException(
                message, node, (Consistency)reader.Short(), reader.Int(), reader.Int()),
            ServerErrorCode.WriteTimeout or ServerErrorCode.ReadTimeout or ServerErrorCode.CasWriteUnknown
                or ServerErrorCode.WriteFailure or ServerErrorCode.ReadFailure =>
                new CqlReplicaException(code, message, node, ReadAnswers(ref reader, code, header.ProtocolVersion)),
            ServerErrorCode.AlreadyExists => new CqlAlreadyExistsException(
                message, node, reader.String(), reader.String()),
            ServerErrorCode.Unprepared => new CqlUnpreparedException(message, node, reader.ShortBytes().ToArray()),
            _ => new CqlServerException(code, message, node),
        };
    }

    private static ReplicaAnswers ReadAnswers(ref WireReader reader, ServerErrorCode code, int version)
    {
        var answers = new ReplicaAnswers((Consistency)reader.Short(), reader.Int(), reader.Int());
        if (code is ServerErrorCode.WriteFailure or ServerErrorCode.ReadFailure)
            answers = answers with { Failures = ReadFailures(ref reader, version) };
        return code switch
        {
            ServerErrorCode.ReadTimeout or ServerErrorCode.ReadFailure =>
                answers with { DataPresent = reader.Byte() != 0 },
            ServerErrorCode.WriteTimeout or ServerErrorCode.WriteFailure =>
                answers with { WriteType = reader.String() },
            _ => answers with { WriteType = "CAS" },
        };
    }

    /// <summary>v5 tells each replica with its reason, v4 only how many.</summary>
    private static (IPAddress Replica, int Reason)[] ReadFailures(ref WireReader reader, int version)
    {
        var count = reader.Int();
        if (version < 5) return [];
        var failures = new (IPAddress Replica, int Reason)[reader.Count(count, bytesEach: 7)];
        for (var i = 0; i < failures.Length; i++) failures[i] = (reader.Address(), reader.Short());
        return failures;
    }
}
