using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Http;
using Millrace.Stores.Positions;

namespace Millrace.Api.Positions;

/// <summary>Where devices are, by their telemetry.</summary>
internal static class PositionEndpoints
{
    /// <summary>Half of the Earth's circumference, in metres: further is nothing.</summary>
    private const double RadiusMax = 20_100_000;

    public static void MapPositions(this RouteGroupBuilder api)
    {
        api.MapGet("/devices/{id}/position", FindAsync).RequireAuthorization(ApiScopes.Read).WithTags("Positions")
            .WithName("DevicePosition").WithSummary("The device's latest position").Produces<PositionItem>();
        api.MapGet("/positions", ListAsync).RequireAuthorization(ApiScopes.Read).WithTags("Positions")
            .WithName("ListPositions")
            .WithSummary("Devices whose latest position is in a box (south, west, north, east; west > east goes across "
                + "the 180th meridian) or a circle (latitude, longitude, radius in metres)")
            .Produces<PositionPage>();
    }

    private static async Task<PositionPage> ListAsync(
        IPositionStore store, IOptions<ApiOptions> options, CancellationToken ct, double? south = null,
        double? west = null, double? north = null, double? east = null, double? latitude = null,
        double? longitude = null, double? radius = null, int? limit = null, string? continuation = null)
    {
        var area = (south, west, north, east, latitude, longitude, radius) switch
        {
            ({ } s, { } w, { } n, { } e, null, null, null) => Box(s, w, n, e),
            (null, null, null, null, { } lat, { } lon, { } metres) => Circle(lat, lon, metres),
            _ => throw ApiErrors.BadRequest.With(null,
                "Give south, west, north and east, or latitude, longitude and radius.").AsException(),
        };
        var page = await store.WithinAsync(area, Limits.Page(limit, options.Value), continuation, ct);
        return new PositionPage([.. page.Items.Select(item => PositionItem.Of(item, area))], page.Continuation);
    }

    private static async Task<PositionItem> FindAsync(string id, IPositionStore store, CancellationToken ct) =>
        await store.FindAsync(Limits.Device(id), ct) is { } position
            ? PositionItem.Of(position, area: null)
            : throw ApiErrors.NotFound.With(id, "The device has told no position.").AsException();

    private static GeoArea Box(double south, double west, double north, double east)
    {
        Within("south", south, -90, 90);
        Within("west", west, -180, 180);
        Within("north", north, south, 90);
        Within("east", east, -180, 180);
        return new GeoBox(south, west, north, east);
    }

    private static GeoArea Circle(double latitude, double longitude, double radius)
    {
        Within("latitude", latitude, -90, 90);
        Within("longitude", longitude, -180, 180);
        Within("radius", radius, 0, RadiusMax);
        return new GeoCircle(latitude, longitude, radius);
    }

    private static void Within(string name, double value, double least, double most)
    {
        if (value >= least && value <= most) return;
        throw ApiErrors.BadRequest.With(value, $"{name} must be {least} to {most}.").AsException();
    }
}

internal sealed record PositionPage(IReadOnlyList<PositionItem> Items, string? Continuation);
