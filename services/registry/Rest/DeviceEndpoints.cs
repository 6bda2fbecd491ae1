using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Http;
using Millrace.Registry.Identities;
using Millrace.Stores.DeviceStates;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Rest;

/// <summary>Devices under /api/v1/devices.</summary>
internal static class DeviceEndpoints
{
    private const int PageDevices = 100;

    public static void MapDevices(this IEndpointRouteBuilder endpoints)
    {
        var devices = endpoints.MapGroup("/api/v1/devices").WithTags("Devices")
            .AddEndpointFilter(DeviceProblems.TellAsync).ProducesProblem(StatusCodes.Status400BadRequest);
        devices.MapGet("/", ListAsync).RequireAuthorization(ApiScopes.Read).WithName("ListDevices")
            .WithSummary("Devices in order of their ids")
            .WithDescription("Those that begin with prefix, have contains somewhere in their id, and have the status " +
                "and every tag, such as site=north or location.site=north. A page that looked at many devices and " +
                "found few has a continuation all the same.")
            .Produces<DevicePage>();
        devices.MapPost("/", CreateAsync).RequireAuthorization(ApiScopes.Operate).WithName("CreateDevice")
            .WithSummary("A new device with two keys").Produces<DeviceItem>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status409Conflict);
        devices.MapPost("/batch", CreateManyAsync).RequireAuthorization(ApiScopes.Operate).WithName("CreateDevices")
            .WithSummary("Many new devices; those that exist are left alone").Produces<DevicesMade>();

        var device = devices.MapGroup("/{id}").ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status412PreconditionFailed);
        device.MapGet("", ShowAsync).RequireAuthorization(ApiScopes.Read).WithName("ShowDevice")
            .WithSummary("One device with its state, without its keys").Produces<DeviceItem>();
        device.MapPatch("", UpdateAsync).RequireAuthorization(ApiScopes.Operate).WithName("UpdateDevice")
            .WithSummary("Change status, authentication, thumbprints, tags")
            .WithDescription("A JSON merge patch: what is not named stays, null removes. With If-Match and the ETag " +
                "of an earlier answer, refused when somebody else changed the device meanwhile.")
            .Accepts<DeviceChange>("application/merge-patch+json", "application/json").Produces<DeviceItem>();
        device.MapDelete("", DeleteAsync).RequireAuthorization(ApiScopes.Operate).WithName("DeleteDevice")
            .WithSummary("Remove a device; its connection ends").Produces(StatusCodes.Status204NoContent);
        device.MapPost("/disable", DisableAsync).RequireAuthorization(ApiScopes.Operate)
            .WithName("DisableDevice").WithSummary("Refuse a device; its connection ends").Produces<DeviceItem>();
        device.MapPost("/enable", EnableAsync).RequireAuthorization(ApiScopes.Operate).WithName("EnableDevice")
            .WithSummary("Let a device in again").Produces<DeviceItem>();
        device.MapDeviceKeys();
        device.MapDeviceMessages();
    }

    private static async Task<DevicePage> ListAsync(
        DeviceRegistry registry, IDeviceStateStore states, IOptions<RegistryOptions> options, CancellationToken ct,
        string? prefix = null, string? contains = null, string? status = null, string[]? tag = null,
        int? limit = null, string? continuation = null)
    {
        var most = options.Value.PageDevicesMax;
        if (limit < 1 || limit > most)
            throw RegistryErrors.RequestInvalid.With(limit, $"limit must be 1 to {most}.").AsException();
        var filter = new DeviceFilter
        {
            IdPrefix = prefix,
            IdPart = string.IsNullOrEmpty(contains) ? null : contains,
            Status = string.IsNullOrEmpty(status) ? null : StatusOf(status),
            Tags = [.. (tag ?? []).Where(one => one.Length > 0).Select(TagOf)],
            LookedAtMax = options.Value.PageLookedAtMax,
        };
        var page = await registry.ListAsync(filter, limit ?? Math.Min(PageDevices, most), continuation, ct);
        var byId = (await states.FindManyAsync([.. page.Items.Select(i => i.DeviceId)], ct))
            .ToDictionary(s => s.DeviceId);
        return new DevicePage(
            [.. page.Items.Select(i => DeviceItem.Of(i, byId.GetValueOrDefault(i.DeviceId)))], page.Continuation);
    }

    private static DeviceStatus StatusOf(string text) => text switch
    {
        "enabled" => DeviceStatus.Enabled,
        "disabled" => DeviceStatus.Disabled,
        _ => throw RegistryErrors.RequestInvalid.With(text, "status is enabled or disabled.").AsException(),
    };

    private static TagFilter TagOf(string text) => TagFilter.Read(text) ??
        throw RegistryErrors.RequestInvalid.With(text, "tag is a name and a value: site=north.").AsException();

    private static async Task<IResult> CreateAsync(
        NewDevice device, DeviceRegistry registry, HttpContext http, CancellationToken ct)
    {
        var made = await registry.CreateAsync(device, http.Actor(), ct);
        http.Response.Headers.Location = $"/api/v1/devices/{Uri.EscapeDataString(made.DeviceId)}";
        return Tagged(http, made, null, StatusCodes.Status201Created);
    }

    private static async Task<DevicesMade> CreateManyAsync(
        IReadOnlyList<NewDevice> devices, DeviceRegistry registry, IOptions<RegistryOptions> options, HttpContext http,
        CancellationToken ct)
    {
        var most = options.Value.CreateDevicesMax;
        if (devices.Count == 0 || devices.Count > most)
            throw RegistryErrors.RequestInvalid.With(devices.Count, $"Send 1 to {most} devices.").AsException();
        if (devices.Contains(null!))
            throw RegistryErrors.RequestInvalid.With(null, "A device is an object, not null.").AsException();
        var existing = await registry.CreateManyAsync(devices, http.Actor(), ct);
        return new DevicesMade(devices.Count - existing.Count, existing);
    }

    private static async Task<IResult> ShowAsync(
        string id, DeviceRegistry registry, IDeviceStateStore states, HttpContext http, CancellationToken ct) =>
        Tagged(http, await registry.GetAsync(id, ct), await states.FindAsync(id, ct));

    private static async Task<IResult> UpdateAsync(
        string id, JsonElement patch, DeviceRegistry registry, IDeviceStateStore states, HttpContext http,
        CancellationToken ct)
    {
        var change = DeviceChange.Read(patch);
        var updated = await registry.UpdateAsync(id, change, http.Expected(), http.Actor(), ct);
        return Tagged(http, updated, await states.FindAsync(id, ct));
    }

    private static async Task<IResult> DeleteAsync(
        string id, DeviceRegistry registry, HttpContext http, CancellationToken ct)
    {
        await registry.DeleteAsync(id, http.Expected(), http.Actor(), ct);
        return Results.NoContent();
    }

    private static Task<IResult> DisableAsync(
        string id, DeviceRegistry registry, IDeviceStateStore states, HttpContext http, CancellationToken ct,
        string? reason = null) => SetStatusAsync(id, DeviceStatus.Disabled, reason, registry, states, http, ct);

    private static Task<IResult> EnableAsync(
        string id, DeviceRegistry registry, IDeviceStateStore states, HttpContext http, CancellationToken ct) =>
        SetStatusAsync(id, DeviceStatus.Enabled, null, registry, states, http, ct);

    private static async Task<IResult> SetStatusAsync(
        string id, DeviceStatus status, string? reason, DeviceRegistry registry, IDeviceStateStore states,
        HttpContext http, CancellationToken ct) =>
        Tagged(http, await registry.SetStatusAsync(id, status, reason, http.Expected(), http.Actor(), ct),
            await states.FindAsync(id, ct));

    private static IResult Tagged(HttpContext http, DeviceIdentity identity, DeviceState? state, int status = 200)
    {
        http.Response.Headers.ETag = DeviceETag.Of(identity);
        return Results.Json(DeviceItem.Of(identity, state), statusCode: status);
    }
}
