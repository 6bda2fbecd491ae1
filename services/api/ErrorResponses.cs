using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Millrace.Hosting.Http;
using Millrace.Primitives;

namespace Millrace.Api;

/// <summary>Turns what endpoints throw into problem details with a code.</summary>
internal sealed class ErrorResponses(ILogger<ErrorResponses> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken ct)
    {
        var (error, status) = exception switch
        {
            MillraceException e => (e.Error, StatusOf(e.Error.Code)),
            BadHttpRequestException e => (BadRequest(e), e.StatusCode),
            _ => (ApiErrors.Unexpected.With(context.TraceIdentifier), StatusCodes.Status500InternalServerError),
        };
        if (status >= StatusCodes.Status500InternalServerError)
            log.RequestFailed(context.Request.Path, error.Code, exception);
        await Problems.Problem(error, status).ExecuteAsync(context);
        return true;
    }

    /// <summary>An address or method that no endpoint has, or a body of a type that it does not take.</summary>
    public static Task TellAsync(StatusCodeContext context)
    {
        var (request, status) = (context.HttpContext.Request, context.HttpContext.Response.StatusCode);
        var error = status switch
        {
            StatusCodes.Status404NotFound => ApiErrors.NotFound.With(request.Path),
            StatusCodes.Status405MethodNotAllowed => ApiErrors.BadRequest.With(request.Method,
                "The address does not take this method."),
            StatusCodes.Status415UnsupportedMediaType => ApiErrors.BadRequest.With(request.ContentType,
                "The body must be JSON in UTF-8: send Content-Type: application/json."),
            _ => ApiErrors.BadRequest.With(null),
        };
        return Problems.Problem(error, status).ExecuteAsync(context.HttpContext);
    }

    /// <summary>What the user wrote and where, without the names of our types.</summary>
    private static Error BadRequest(BadHttpRequestException e) => e.InnerException is JsonException json
        ? ApiErrors.BadRequest.With(json.Path, json.Message)
        : ApiErrors.BadRequest.With(null, e.Message);

    /// <summary>A fault of the platform is a 500; what a user asked wrongly is theirs.</summary>
    private static int StatusOf(string code) => code switch
    {
        "AP-0003" or "DL-0006" => StatusCodes.Status404NotFound,
        "AP-0006" or "AP-0007" or "AP-0009" or "AP-0010" or "AP-0011" or "AP-0012" or "ST-0011" =>
            StatusCodes.Status409Conflict,
        "AP-0008" or "ST-0012" => StatusCodes.Status500InternalServerError,
        "AR-0009" or "ST-0002" or "MR-0001" or "MR-0002" or "MR-0003" => StatusCodes.Status400BadRequest,
        _ when code.StartsWith("AP-", StringComparison.Ordinal) => StatusCodes.Status400BadRequest,
        _ when code.StartsWith("BA-", StringComparison.Ordinal) => StatusCodes.Status400BadRequest,
        _ when code.StartsWith("CP-", StringComparison.Ordinal) => StatusCodes.Status400BadRequest,
        _ when code.StartsWith("RG-", StringComparison.Ordinal) => StatusCodes.Status400BadRequest,
        _ => StatusCodes.Status503ServiceUnavailable,
    };
}
