using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Millrace.Api;

/// <summary>A body in an encoding that there is not is told as one of another type is: with 415, AP-0004.</summary>
internal static class BodyCharsets
{
    public static Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var isUnknown = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
            && type.Charset.HasValue && type.Encoding is null;
        if (!isUnknown) return next(context);
        context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
        return Task.CompletedTask;
    }
}
