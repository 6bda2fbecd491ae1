using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Api.Alerts;
using Millrace.Api.Audit;
using Millrace.Api.Authentication;
using Millrace.Api.Bridges;
using Millrace.Api.DeadLetters;
using Millrace.Api.Positions;
using Millrace.Api.Queries;
using Millrace.Api.Status;
using Millrace.Api.Tail;
using Millrace.Api.Telemetry;
using Millrace.Api.Tokens;
using Millrace.Api.Upgrades;
using Millrace.Extensions;
using Millrace.Hosting.Http;
using Millrace.Hosting.Options;
using Millrace.Models;
using Millrace.Stores.Queries;

namespace Millrace.Api;

/// <summary>The REST API under /api/v1.</summary>
public static class ApiRegistration
{
    public static IServiceCollection AddMillraceApi(this IServiceCollection services)
    {
        services.AddValidatedOptions<ApiOptions>("Api");
        services.AddQueryExtensions();
        services.AddModels();
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<ApiOptions>>(
            (kestrel, api) => kestrel.Limits.MaxRequestBodySize = api.Value.RequestBytesMax.Bytes);
        services.Configure<JsonOptions>(json =>
        {
            json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(
                JsonNamingPolicy.CamelCase, allowIntegerValues: false));
            json.SerializerOptions.Converters.Add(new UtcTimeConverter());
            json.SerializerOptions.RespectRequiredConstructorParameters = true;
            json.SerializerOptions.RespectNullableAnnotations = true;
        });
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.AddOpenApi(document => document
            .AddDocumentTransformer((d, _, _) => ApiDocument.CompleteAsync(d))
            .AddOperationTransformer((o, context, _) => ApiDocument.CompleteAsync(o, context)));
        services.AddProblemDetails();
        services.AddExceptionHandler<QueryInvalidResponses>();
        services.AddExceptionHandler<ErrorResponses>();
        services.AddHttpContextAccessor();
        services.AddSingleton<TokenCache>();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<ControlNotices>();
        services.AddSingleton<AuditTrail>();
        services.AddSingleton<QueryCatalog>();
        services.AddSingleton<QueryReader>();
        services.AddSingleton(s => new QueryApplier(
            s.GetRequiredService<QueryCatalog>(), s.GetRequiredService<IQueryStore>()));
        services.AddSingleton<TailHub>();
        services.AddSingleton<HubStatusReader>();

        // AddAuthentication would also bring a key ring for cookies, kept outside the data folder.
        services.AddAuthenticationCore(authentication => authentication.DefaultScheme = BearerTokenHandler.SchemeName);
        services.AddWebEncoders();
        new AuthenticationBuilder(services)
            .AddScheme<AuthenticationSchemeOptions, BearerTokenHandler>(BearerTokenHandler.SchemeName, null);
        services.AddAuthorizationBuilder()
            .AddPolicy(ApiScopes.Read, Any(ApiScopes.Read, ApiScopes.Operate, ApiScopes.Administer))
            .AddPolicy(ApiScopes.Operate, Any(ApiScopes.Operate, ApiScopes.Administer))
            .AddPolicy(ApiScopes.Administer, Any(ApiScopes.Administer));
        return services;
    }

    /// <summary>The middleware that the endpoints of every role rely on; comes before they are mapped.</summary>
    public static IApplicationBuilder UseMillraceApi(this IApplicationBuilder app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages(ErrorResponses.TellAsync);
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.Use(BodyCharsets.CheckAsync);
        app.Use(SingleParameters.CheckAsync);
        return app;
    }

    public static IEndpointRouteBuilder MapMillraceApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapOpenApi();
        endpoints.MapErrorPages();
        var api = endpoints.MapGroup("/api/v1");
        api.MapTelemetry();
        api.MapPositions();
        api.MapTail();
        api.MapAlerts();
        api.MapQueries();
        api.MapDeadLetters();
        api.MapBridges();
        api.MapTokens();
        api.MapAudit();
        api.MapStatus();
        api.MapUpgrade();
        return endpoints;
    }

    private static Action<Microsoft.AspNetCore.Authorization.AuthorizationPolicyBuilder> Any(params string[] scopes) =>
        policy => policy.RequireAuthenticatedUser().RequireClaim(BearerTokenHandler.ScopeClaim, scopes);
}
