using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Millrace.Api;

/// <summary>The page of each error code, at the address that problem details give as their type.</summary>
internal static class ErrorPages
{
    private const string MediaType = "text/plain; charset=utf-8";

    /// <summary>Everybody may read them: they are the same for every hub.</summary>
    public static void MapErrorPages(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/errors/{code}", Show).AllowAnonymous().WithTags("Errors").WithName("ShowError")
            .WithSummary("What an error code means, and what to do").Produces<string>(contentType: "text/plain");

    private static IResult Show(string code) =>
        typeof(ErrorPages).Assembly.GetManifestResourceStream($"errors/{code.ToUpperInvariant()}") is { } page
            ? Results.Stream(page, MediaType)
            : throw ApiErrors.NotFound.With(code).AsException();
}
