using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Http;
using Millrace.Stores.Telemetry;

namespace Millrace.Api.Telemetry;

/// <summary>Recent telemetry, of one device or of several.</summary>
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
        var many = api.MapGroup("").RequireAuthorization(ApiScopes.Read).WithTags("Telemetry");
        many.MapGet("/telemetry", ListManyAsync).WithName("ListTelemetryOfMany")
            .WithSummary("Telemetry of several devices: a page of each, which goes on by itself")
            .Produces<TelemetryPages>();
        many.MapGet("/latest", LatestManyAsync).WithName("LatestTelemetryOfMany")
            .WithSummary("The latest telemetry of several devices; one that has sent nothing is left out")
            .Produces<TelemetryPage>();
    }

    private static async Task<TelemetryPage> ListAsync(
        string id, ITelemetryStore store, IOptions<ApiOptions> options, CancellationToken ct,
        DateTimeOffset? from = null, DateTimeOffset? to = null, int? limit = null, string? continuation = null,
        string? order = null)
    {
        var range = Range(Limits.Device(id), from, to, Limits.Page(limit, options.Value), order);
        var page = await store.QueryAsync(range with { Continuation = continuation }, ct);
        return new TelemetryPage([.. page.Items.Select(TelemetryItem.Of)], page.Continuation);
    }

    private static async Task<TelemetryPages> ListManyAsync(
        string[] device, ITelemetryStore store, IOptions<ApiOptions> options, CancellationToken ct,
        DateTimeOffset? from = null, DateTimeOffset? to = null, int? limit = null, string? order = null)
    {
        var ids = Limits.Devices(device, options.Value);
        var most = Math.Max(options.Value.PageRowsMax / ids.Count, 1);
        var each = Limits.Page(limit ?? Math.Min(most, Limits.PageRows), options.Value);
        if (each > most)
        {
            throw ApiErrors.BadRequest.With(limit, $"limit must be 1 to {most} for {ids.Count} devices.")
                .AsException();
        }

        var pages = await store.QueryManyAsync([.. ids.Select(id => Range(id, from, to, each, order))], ct);
        return new TelemetryPages([.. ids.Zip(pages, (id, page) => new TelemetryOfDevice(
            id, [.. page.Items.Select(TelemetryItem.Of)], page.Continuation))]);
    }

    private static TelemetryRange Range(
        string id, DateTimeOffset? from, DateTimeOffset? to, int limit, string? order) => new(
        id, from?.ToUnixTimeMilliseconds(), to?.ToUnixTimeMilliseconds(), limit, OldestFirst: order switch
        {
            null or "newest" => false,
            "oldest" => true,
            _ => throw ApiErrors.BadRequest.With(order, "order must be newest or oldest.").AsException(),
        });

    private static async Task<IResult> LatestAsync(string id, ITelemetryStore store, CancellationToken ct) =>
        await store.LatestAsync(Limits.Device(id), ct) is { } latest
            ? Results.Ok(TelemetryItem.Of(latest))
            : throw ApiErrors.NotFound.With(id, "The device has sent no telemetry.").AsException();

    private static async Task<TelemetryPage> LatestManyAsync(
        string[] device, ITelemetryStore store, IOptions<ApiOptions> options, CancellationToken ct)
    {
        var latest = await store.LatestManyAsync(Limits.Devices(device, options.Value), ct);
        return new TelemetryPage([.. latest.Select(TelemetryItem.Of)], null);
    }
}

/// <param name="Continuation">For <c>/devices/{id}/telemetry</c>.</param>
internal sealed record TelemetryOfDevice(string DeviceId, IReadOnlyList<TelemetryItem> Items, string? Continuation);

internal sealed record TelemetryPages(IReadOnlyList<TelemetryOfDevice> Items);

internal sealed record TelemetryPage(IReadOnlyList<TelemetryItem> Items, string? Continuation);
