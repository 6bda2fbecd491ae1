using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Hosting.Http;
using Millrace.Stores.Upgrades;

namespace Millrace.Api.Upgrades;

/// <summary>The way from one version of the platform to the next.</summary>
internal static class UpgradeEndpoints
{
    public static void MapUpgrade(this RouteGroupBuilder api)
    {
        var upgrade = api.MapGroup("/upgrade").WithTags("Upgrade");
        upgrade.MapGet("/", (IUpgradeStore store, CancellationToken ct) => store.ReadAsync(ct))
            .RequireAuthorization(ApiScopes.Read).WithName("UpgradeState")
            .WithSummary("The schema of the stores, and which versions may still use it").Produces<UpgradeState>();
        upgrade.MapPost("/finalise", FinaliseAsync).RequireAuthorization(ApiScopes.Administer)
            .WithName("FinaliseUpgrade").WithSummary("Refuse older versions from now on: there is no rolling back")
            .Produces<UpgradeState>();
    }

    private static async Task<UpgradeState> FinaliseAsync(
        IUpgradeStore store, AuditTrail audit, CancellationToken ct)
    {
        var state = await store.FinaliseAsync(ct);
        await audit.AddAsync("upgrade.finalise", "stores", $"schema {state.Finalised}", ct);
        return state;
    }
}
