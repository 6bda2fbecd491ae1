using Microsoft.OpenApi;

namespace Millrace.Api;

/// <summary>What the OpenAPI document says besides the endpoints.</summary>
internal static class ApiDocument
{
    private const string Scheme = "bearer";

    public static Task CompleteAsync(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Millrace",
            Version = "v1",
            Description = "Devices, telemetry, queries, alerts and the archive of one hub.",
        };
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [Scheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = Scheme,
                Description = "A token with one of the scopes read, operate, administer.",
            },
        };
        document.Security =
        [
            new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, document)] = [] },
        ];
        return Task.CompletedTask;
    }
}
