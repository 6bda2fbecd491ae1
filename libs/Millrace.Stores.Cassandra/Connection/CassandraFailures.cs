using System.Security.Authentication;
using System.Security.Cryptography;
using Millrace.Cql;
using Millrace.Primitives;

namespace Millrace.Stores.Cassandra.Connection;

/// <summary>What the cluster's own errors mean to a user.</summary>
internal static class CassandraFailures
{
    // Guardrails that an operator has set, or that a disk has reached: the row is as good as any other.
    private static readonly string[] OfAnyRow = ["consistency", "disk usage", "USING TIMESTAMP"];

    private static readonly string[] RefusalCodes =
        [CqlErrors.Of(ServerErrorCode.BadCredentials).Code, CqlErrors.Of(ServerErrorCode.Unauthorized).Code];

    /// <param name="executed">The statement that failed; null when it was still to be prepared.</param>
    public static MillraceException Told(this CqlException failure, string keyspace, CqlStatement? executed = null)
    {
        var isRefusal = executed is not null and not SimpleStatement && IsRefusal(failure);
        var definition = isRefusal ? StoreErrors.RowRefused : StoreErrors.Unavailable;
        StoreMetrics.Failures.Add(1, new KeyValuePair<string, object?>("reason", definition.Code));
        return definition.With(keyspace, failure.Message).AsException(failure);
    }

    /// <summary>
    /// What keeps this process out although the cluster answers; null when it is something else. Waiting alone does not
    /// mend it.
    /// </summary>
    public static Error? AccessRefused(Exception failure, string contactPoints)
    {
        var detail = failure switch
        {
            CqlException { InnerException: AuthenticationException } cql => $"{cql.Code}: {cql.Error.Detail}",
            CqlException cql when RefusalCodes.Contains(cql.Code) => $"{cql.Code}: {cql.Error.Detail}",
            IOException or UnauthorizedAccessException or CryptographicException => failure.Message,
            _ => null,
        };
        return detail is null ? null : StoreErrors.AccessRefused.With(contactPoints, detail);
    }

    /// <summary>
    /// What was prepared is valid but for its values: a key that is too long, a mutation that is too large, what a
    /// guardrail forbids. The nodes would refuse it for ever. Not so a missing table, which is "not valid" too, and
    /// is found when the statement is prepared again; nor what they would say of any row.
    /// </summary>
    private static bool IsRefusal(CqlException failure) =>
        failure is CqlServerException { ServerCode: ServerErrorCode.Invalid, WasPreparing: false } server
        && !OfAnyRow.Any(words => server.ServerMessage.Contains(words, StringComparison.OrdinalIgnoreCase));
}
