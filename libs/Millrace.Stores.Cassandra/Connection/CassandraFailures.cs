using System.Security.Authentication;
using System.Security.Cryptography;
using Millrace.Cql;
using Millrace.Primitives;

namespace Millrace.Stores.Cassandra.Connection;

/// <summary>What the cluster's own errors mean to a user.</summary>
internal static class CassandraFailures
{
    private static readonly string[] RefusalCodes =
        [CqlErrors.Of(ServerErrorCode.BadCredentials).Code, CqlErrors.Of(ServerErrorCode.Unauthorized).Code];

    public static MillraceException Told(this CqlException failure, string keyspace)
    {
        var definition = IsRefusal(failure) ? StoreErrors.RowRefused : StoreErrors.Unavailable;
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
    /// A mutation, or a message, that is larger than the nodes take would be refused for ever. The protocol has no code
    /// of its own for them, and a table that is missing is "not valid" too.
    /// </summary>
    private static bool IsRefusal(CqlException failure) =>
        failure is CqlServerException { ServerCode: ServerErrorCode.Invalid } server
        && (server.ServerMessage.Contains("too large", StringComparison.OrdinalIgnoreCase)
            || server.ServerMessage.Contains("exceeds allowed maximum", StringComparison.OrdinalIgnoreCase));
}
