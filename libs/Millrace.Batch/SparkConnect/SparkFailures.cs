using System.Text.Json;
using Grpc.Core;
using Millrace.Batch.SparkConnect.Protocol;
using Millrace.Primitives;

namespace Millrace.Batch.SparkConnect;

/// <summary>What became of a request, from how gRPC and Spark tell of it.</summary>
internal static class SparkFailures
{
    private const string DetailsTrailer = "grpc-status-details-bin";
    private const string InvalidHandle = "INVALID_HANDLE";
    private const string OperationNotFound = "INVALID_HANDLE.OPERATION_NOT_FOUND";
    private const string SessionNotFound = "INVALID_HANDLE.SESSION_NOT_FOUND";
    private const string Canceled = "OPERATION_CANCELED";

    /// <summary>
    /// Whether the connection failed and not the request: Spark's own errors come with details, and these do not.
    /// </summary>
    public static bool IsBroken(RpcException e) => Info(e) is null && e.StatusCode is StatusCode.Unavailable
        or StatusCode.Internal or StatusCode.Unknown or StatusCode.Cancelled or StatusCode.DeadlineExceeded
        or StatusCode.Aborted;

    /// <summary>Whether the server never heard of the operation, or forgot it.</summary>
    public static bool IsUnknownOperation(RpcException e) =>
        Of(e) is { Class: { } name } && (name.StartsWith(OperationNotFound, StringComparison.Ordinal)
            || name.StartsWith(SessionNotFound, StringComparison.Ordinal));

    public static bool IsSessionLost(MillraceException e) => e.Error.Definition == BatchErrors.SessionLost;

    /// <summary>Spark's error as far as the answer itself tells it; null when it is not Spark's.</summary>
    public static SparkError? Of(RpcException e)
    {
        if (Info(e) is not { } info) return null;
        var name = info.Metadata.GetValueOrDefault("errorClass") ?? ClassIn(e.Status.Detail);
        var parameters = Parameters(info.Metadata.GetValueOrDefault("messageParameters"));
        return new SparkError(name, info.Metadata.GetValueOrDefault("sqlState"), e.Status.Detail, parameters);
    }

    /// <summary>The id by which the server tells more of the error; null when there is none.</summary>
    public static string? ErrorId(RpcException e) => Info(e)?.Metadata.GetValueOrDefault("errorId");

    /// <summary>What the caller gets.</summary>
    /// <param name="what">What was asked for, such as the statement.</param>
    public static MillraceException ToException(RpcException e, SparkError? spark, string what)
    {
        var detail = spark?.Message ?? e.Status.Detail;
        var definition = e.StatusCode switch
        {
            StatusCode.Unauthenticated or StatusCode.PermissionDenied => BatchErrors.CredentialRefused,
            _ when spark is null => BatchErrors.Unreachable,
            _ when spark.Class is null => BatchErrors.Failed,
            _ when spark.Class.StartsWith(InvalidHandle, StringComparison.Ordinal) => BatchErrors.SessionLost,
            _ when spark.Class.StartsWith(Canceled, StringComparison.Ordinal) => BatchErrors.Interrupted,
            _ when IsServers(spark) => BatchErrors.Failed,
            _ => BatchErrors.Refused,
        };
        var error = definition.With(SqlShown.Shortened(what), detail.Trim());
        return spark is null ? error.AsException(e) : new SparkException(error, spark, e);
    }

    /// <summary>SQL states of class XX are internal errors, 58 those of the system, 53 lack of resources.</summary>
    private static bool IsServers(SparkError spark) =>
        spark.Class!.StartsWith("INTERNAL_ERROR", StringComparison.Ordinal)
        || spark.SqlState is { } state && (state.StartsWith("XX", StringComparison.Ordinal)
            || state.StartsWith("58", StringComparison.Ordinal) || state.StartsWith("53", StringComparison.Ordinal));

    private static ErrorInfo? Info(RpcException e)
    {
        if (e.Trailers.GetValueBytes(DetailsTrailer) is not { } bytes) return null;
        var status = Protocol.Status.Parser.ParseFrom(bytes);
        return status.Details.FirstOrDefault(detail => detail.Is(ErrorInfo.Descriptor))?.Unpack<ErrorInfo>();
    }

    /// <summary>Messages begin with the class in brackets.</summary>
    private static string? ClassIn(string message)
    {
        var end = message.IndexOf(']');
        return message.StartsWith('[') && end > 1 ? message[1..end] : null;
    }

    private static IReadOnlyDictionary<string, string> Parameters(string? json)
    {
        if (json is null) return new Dictionary<string, string>();
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];
        }
        catch (JsonException)
        {
            // Long parameters are cut off; the message says what they say.
            return new Dictionary<string, string>();
        }
    }
}
