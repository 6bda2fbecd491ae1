using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Millrace.Hosting.Http;

namespace Millrace.Api;

/// <summary>What the OpenAPI document says besides the endpoints.</summary>
internal static class ApiDocument
{
    private const string Scheme = "bearer";
    private const string Problem = "Problem";
    private const string ProblemMediaType = "application/problem+json";

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
        (document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>())[Problem] = ProblemSchema();
        return Task.CompletedTask;
    }

    /// <summary>Every operation may fail as the API fails, and one that needs a token says which scope.</summary>
    public static Task CompleteAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        operation.Responses ??= [];
        foreach (var (status, response) in operation.Responses.ToArray())
        {
            // Those that an endpoint names itself have the schema of the framework, without code and value.
            if (response.Content?.ContainsKey(ProblemMediaType) == true)
                operation.Responses[status] = Failure(response.Description ?? "", context.Document);
        }

        operation.Responses["default"] = Failure("What went wrong, with its code.", context.Document);
        if (metadata.OfType<IAllowAnonymous>().Any())
        {
            operation.Security = [];
            return Task.CompletedTask;
        }

        var scope = metadata.OfType<IAuthorizeData>().LastOrDefault()?.Policy;
        if (scope is null) return Task.CompletedTask;
        operation.Responses["401"] = Failure("No valid token (AP-0001).", context.Document);
        operation.Responses["403"] = Failure($"The token lacks the scope {scope} (AP-0002).", context.Document);
        return Task.CompletedTask;
    }

    private static OpenApiResponse Failure(string description, OpenApiDocument? document) => new()
    {
        Description = description,
        Content = new Dictionary<string, OpenApiMediaType>
        {
            [ProblemMediaType] = new() { Schema = new OpenApiSchemaReference(Problem, document) },
        },
    };

    private static OpenApiSchema ProblemSchema() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "Problem details (RFC 9457).",
        Required = new HashSet<string> { "type", "title", "status", "code" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["type"] = Text("The address of the code's page on this server.", Problems.TypeOf("AP-0004")),
            ["title"] = Text("What went wrong."),
            ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" },
            ["detail"] = Text("Why, and what to do."),
            ["code"] = Text("Stable: what a program may look at.", "AP-0004"),
            ["value"] = new OpenApiSchema { Description = "What was given, where one value is to blame." },
            ["diagnostics"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Array,
                Description = "For a query that does not compile: each place by line and column.",
                Items = new OpenApiSchema { Type = JsonSchemaType.Object },
            },
        },
    };

    private static OpenApiSchema Text(string description, string? example = null) => new()
    {
        Type = JsonSchemaType.String,
        Description = description,
        Example = example is null ? null : JsonValue.Create(example),
    };
}
