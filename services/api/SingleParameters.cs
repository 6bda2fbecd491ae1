using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;

namespace Millrace.Api;

/// <summary>
/// A parameter that a request has twice, where its endpoint takes one value, is an error AP-0004: the framework would
/// join the two with a comma. So is a value that its type cannot have: the framework would not say which it is.
/// </summary>
internal static class SingleParameters
{
    private static readonly Dictionary<Type, (Predicate<string> Takes, string Form)> Forms = new()
    {
        [typeof(int)] = (Takes<int>, "a whole number"),
        [typeof(long)] = (Takes<long>, "a whole number"),
        [typeof(double)] = (Takes<double>, "a number"),
        [typeof(bool)] = (Takes<bool>, "true or false"),
        [typeof(DateTimeOffset)] = (Takes<DateTimeOffset>, "a time in ISO 8601"),
    };

    public static Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        var query = context.Request.Query;
        foreach (var parameter in context.GetEndpoint()?.Metadata.GetOrderedMetadata<IParameterBindingMetadata>() ?? [])
        {
            if (!IsOfQuery(parameter, context.Request)) continue;
            if (!query.TryGetValue(parameter.Name, out var values)) continue;
            if (values.Count > 1)
            {
                throw ApiErrors.BadRequest.With(values.ToString(), $"{parameter.Name} may be given once.")
                    .AsException();
            }

            Check(parameter, values.ToString());
        }

        return next(context);
    }

    private static void Check(IParameterBindingMetadata parameter, string text)
    {
        var type = parameter.ParameterInfo.ParameterType;
        if (!Forms.TryGetValue(Nullable.GetUnderlyingType(type) ?? type, out var known) || known.Takes(text)) return;
        throw ApiErrors.BadRequest.With(text, $"{parameter.Name} must be {known.Form}.").AsException();
    }

    private static bool Takes<T>(string text)
        where T : IParsable<T> => T.TryParse(text, CultureInfo.InvariantCulture, out _);

    /// <summary>Whether it is one value that may come in the query: no service, no body, no part of the path.</summary>
    private static bool IsOfQuery(IParameterBindingMetadata parameter, HttpRequest request) =>
        (parameter.HasTryParse || parameter.ParameterInfo.ParameterType == typeof(string))
        && !request.RouteValues.ContainsKey(parameter.Name);
}
