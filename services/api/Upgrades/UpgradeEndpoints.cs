using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Hosting.Http;
using Millrace.Hosting.Node;
using Millrace.Stores.Upgrades;

namespace Millrace.Api.Upgrades;

/// <summary>The way from one version of the platform to the next.</summary>
internal static class UpgradeEndpoints
{
    public static void MapUpgrade(this RouteGroupBuilder api)
    {
        var upgrade = api.MapGroup("/upgrade").WithTags("Upgrade");
        upgrade.MapGet("/", async (IUpgradeStore store, IMembers members, CancellationToken ct) =>
                ItemOf(await store.ReadAsync(ct), members))
            .RequireAuthorization(ApiScopes.Read).WithName("UpgradeState")
            .WithSummary("The schema of the stores, and which versions may still use it").Produces<UpgradeItem>();
        upgrade.MapPost("/finalise", FinaliseAsync).RequireAuthorization(ApiScopes.Administer)
            .WithName("FinaliseUpgrade").WithSummary("Refuse older versions from now on: there is no rolling back")
            .Produces<UpgradeItem>();
    }

    private static async Task<UpgradeItem> FinaliseAsync(
        IUpgradeStore store, IMembers members, AuditTrail audit, CancellationToken ct)
    {
        var before = ItemOf(await store.ReadAsync(ct), members);
        if (before.Finalised < before.Known) ThrowIfOlderRun(before.Older);
        var state = await store.FinaliseAsync(ct);
        await audit.AddAsync("upgrade.finalise", "stores", $"schema {state.Finalised}", ct);
        return ItemOf(state, members);
    }

    /// <summary>A process looks at its start only whether it may use the stores.</summary>
    private static void ThrowIfOlderRun(IReadOnlyList<string>? older)
    {
        if (older is null) throw ApiErrors.OlderRuns.With(null, "This process is not in the cluster.").AsException();
        if (older.Count > 0) throw ApiErrors.OlderRuns.With(string.Join(", ", older)).AsException();
    }

    private static UpgradeItem ItemOf(UpgradeState state, IMembers members) => new(
        state.Schema, state.Known, state.Finalised,
        members.Current?.Where(each => each.Schema < state.Known).Select(each => each.Address).Order().ToList());
}

/// <summary>An <see cref="UpgradeState"/>, and who of the cluster is behind.</summary>
/// <param name="Older">Members that do not know the newest step; null for a process that is not in the cluster.</param>
internal sealed record UpgradeItem(int Schema, int Known, int Finalised, IReadOnlyList<string>? Older);
