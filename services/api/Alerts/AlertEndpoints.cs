using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Hosting.Http;
using Millrace.Stores.Alerts;

namespace Millrace.Api.Alerts;

/// <summary>Alerts that queries raised.</summary>
internal static class AlertEndpoints
{
    public static void MapAlerts(this RouteGroupBuilder api) =>
        api.MapGet("/alerts", ListAsync).RequireAuthorization(ApiScopes.Read).WithTags("Alerts")
            .WithName("ListAlerts")
            .WithSummary("Alerts, newest first; severity is the least: info, warning, critical")
            .Produces<AlertPage>();

    private static async Task<AlertPage> ListAsync(
        IAlertStore store, IOptions<ApiOptions> options, CancellationToken ct, string? device = null,
        string? query = null, string? severity = null, DateTimeOffset? from = null, DateTimeOffset? to = null,
        int? limit = null, string? continuation = null)
    {
        var filter = new AlertFilter(device, query, Limits.Choice<AlertSeverity>(severity, nameof(severity)), from, to,
            Limits.Page(limit, options.Value), continuation)
        {
            LookedAtMax = options.Value.PageLookedAtMax,
        };
        var page = await store.QueryAsync(filter, ct);
        return new AlertPage([.. page.Items.Select(AlertItem.Of)], page.Continuation);
    }
}

internal sealed record AlertPage(IReadOnlyList<AlertItem> Items, string? Continuation);

internal sealed record AlertItem(
    string RowId, DateTimeOffset At, AlertSeverity Severity, string? DeviceId, string Message, string Query,
    int QueryVersion, JsonElement Details)
{
    public static AlertItem Of(AlertRow row) => new(row.RowId, row.At, row.Severity, row.DeviceId, row.Message,
        row.Query, row.QueryVersion, JsonShown.Row(row.DetailsJson));
}
