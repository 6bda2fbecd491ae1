using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;

namespace Millrace.Api;

/// <summary>
/// A parameter that a request has twice, where its endpoint takes one value, is an error AP-0004: the framework would
/// join the two with a comma.
/// </summary>
internal static class SingleParameters
{
    public static Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var query = context.Request.Query;
        foreach (var parameter in context.GetEndpoint()?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>() ?? [])
        {
            if (!IsOfQuery(parameter, context.Request)) continue;
            if (query.TryGetValue(parameter.Name, out var values) && values.Count > 1)
            {
                throw ApiErrors.BadRequest.With(values.ToString(), $"{parameter.Name} may be given once.")
                    .AsException();
            }
        }

        return next(context);
    }

    /// <summary>Whether it is one value that may come in the query: no service, no body, no part of the path.</summary>
    private static bool IsOfQuery(IParameterBindingMetadata parameter, HttpRequest request) =>
        (parameter.HasTryParse || parameter.ParameterInfo.ParameterType == typeof(string))
        && !request.RouteValues.ContainsKey(parameter.Name);
}
