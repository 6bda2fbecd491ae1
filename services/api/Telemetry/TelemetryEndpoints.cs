using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Http;
using Millrace.Stores.Telemetry;

namespace Millrace.Api.Telemetry;

/// <summary>A device's recent telemetry.</summary>
internal static class TelemetryEndpoints
{
    public static void MapTelemetry(this RouteGroupBuilder api)
    {
        var device = api.MapGroup("/devices/{id}").RequireAuthorization(ApiScopes.Read).WithTags("Telemetry");
        device.MapGet("/telemetry", ListAsync).WithName("ListTelemetry")
            .WithSummary("Telemetry of a device, newest first, with from <= eventAt < to")
            .Produces<TelemetryPage>();
        device.MapGet("/latest", LatestAsync).WithName("LatestTelemetry")
            .WithSummary("The device's latest telemetry: the highest event time").Produces<TelemetryItem>();
    }

    private static async Task<TelemetryPage> ListAsync(
        string id, ITelemetryStore store, IOptions<ApiOptions> options, CancellationToken ct,
        DateTimeOffset? from = null, DateTimeOffset? to = null, int? limit = null, string? continuation = null,
        string? order = null)
    {
        var oldestFirst = order switch
        {
            null or "newest" => false,
            "oldest" => true,
            _ => throw ApiErrors.BadRequest.With(order, "order must be newest or oldest.").AsException(),
        };
        var range = new TelemetryRange(Limits.Device(id), from?.ToUnixTimeMilliseconds(), to?.ToUnixTimeMilliseconds(),
            Limits.Page(limit, options.Value), continuation, oldestFirst);
        var page = await store.QueryAsync(range, ct);
        return new TelemetryPage([.. page.Items.Select(TelemetryItem.Of)], page.Continuation);
    }

    private static async Task<IResult> LatestAsync(string id, ITelemetryStore store, CancellationToken ct) =>
        await store.LatestAsync(Limits.Device(id), ct) is { } latest
            ? Results.Ok(TelemetryItem.Of(latest))
            : throw ApiErrors.NotFound.With(id, "The device has sent no telemetry.").AsException();
}

internal sealed record TelemetryPage(IReadOnlyList<TelemetryItem> Items, string? Continuation);
