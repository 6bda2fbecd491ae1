using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Millrace.Hosting.Http;

namespace Millrace.Api.Queries;

/// <summary>Answers a query text that does not compile with all that is wrong with it.</summary>
internal sealed class QueryInvalidResponses : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken ct)
    {
        if (exception is not QueryInvalidException invalid) return false;
        var definition = ApiErrors.QueryInvalid;
        await Results.Problem(
            title: definition.What,
            detail: $"{definition.Why} {definition.Remedy}",
            statusCode: StatusCodes.Status400BadRequest,
            type: Problems.TypeOf(definition.Code),
            extensions: new Dictionary<string, object?>
            {
                ["code"] = definition.Code,
                ["diagnostics"] = invalid.Diagnostics,
            }).ExecuteAsync(context);
        return true;
    }
}
