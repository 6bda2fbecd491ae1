using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Http;
using Millrace.Stores;
using Millrace.Stores.Audit;

namespace Millrace.Api.Audit;

/// <summary>Who changed what.</summary>
internal static class AuditEndpoints
{
    public static void MapAudit(this RouteGroupBuilder api) =>
        api.MapGet("/audit", ListAsync).RequireAuthorization(ApiScopes.Administer).WithTags("Audit")
            .WithName("ListAudit").WithSummary("Changes made through the API, newest first")
            .Produces<Page<AuditEntry>>();

    private static async Task<Page<AuditEntry>> ListAsync(
        IAuditStore store, IOptions<ApiOptions> options, CancellationToken ct, int? limit = null,
        string? continuation = null) =>
        await store.ListAsync(Limits.Page(limit, options.Value), continuation, ct);
}
