using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Http;
using Millrace.Primitives;
using Millrace.Registry.Identities;
using Millrace.Stores.DeviceStates;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Rest;

/// <summary>Devices under /api/v1/devices.</summary>
internal static class DeviceEndpoints
{
    public static void MapDevices(this IEndpointRouteBuilder endpoints)
    {
        var devices = endpoints.MapGroup("/api/v1/devices").WithTags("Devices").AddEndpointFilter(TellErrorsAsync);
        devices.MapGet("/", ListAsync).RequireAuthorization(ApiScopes.Read).WithName("ListDevices")
            .WithSummary("Devices in order of their ids").Produces<DevicePage>();
        devices.MapPost("/", CreateAsync).RequireAuthorization(ApiScopes.Operate).WithName("CreateDevice")
            .WithSummary("A new device with two keys").Produces<DeviceItem>(StatusCodes.Status201Created);
        devices.MapPost("/batch", CreateManyAsync).RequireAuthorization(ApiScopes.Operate).WithName("CreateDevices")
            .WithSummary("Many new devices; those that exist are left alone").Produces<DevicesMade>();
        devices.MapGet("/{id}", ShowAsync).RequireAuthorization(ApiScopes.Read).WithName("ShowDevice")
            .WithSummary("One device with its state, without its keys").Produces<DeviceItem>();
        devices.MapPatch("/{id}", UpdateAsync).RequireAuthorization(ApiScopes.Operate).WithName("UpdateDevice")
            .WithSummary("Change status, tags, thumbprints; If-Match guards against others").Produces<DeviceItem>();
        devices.MapDelete("/{id}", DeleteAsync).RequireAuthorization(ApiScopes.Operate).WithName("DeleteDevice")
            .WithSummary("Remove a device; its connection ends").Produces(StatusCodes.Status204NoContent);
        devices.MapPost("/{id}/disable", DisableAsync).RequireAuthorization(ApiScopes.Operate)
            .WithName("DisableDevice").WithSummary("Refuse a device; its connection ends").Produces<DeviceItem>();
        devices.MapPost("/{id}/enable", EnableAsync).RequireAuthorization(ApiScopes.Operate).WithName("EnableDevice")
            .WithSummary("Let a device in again").Produces<DeviceItem>();
        devices.MapGet("/{id}/keys", KeysAsync).RequireAuthorization(ApiScopes.Operate).WithName("ShowDeviceKeys")
            .WithSummary("A device's two keys").Produces<DeviceKeyPair>();
        devices.MapPost("/{id}/keys/regenerate", RegenerateAsync).RequireAuthorization(ApiScopes.Operate)
            .WithName("RegenerateDeviceKeys").WithSummary("New keys, or exchange the two").Produces<DeviceKeyPair>();
    }

    private static async Task<DevicePage> ListAsync(
        DeviceRegistry registry, IDeviceStateStore states, IOptions<RegistryOptions> options, CancellationToken ct,
        string? prefix = null, int? limit = null, string? continuation = null)
    {
        var most = options.Value.PageDevicesMax;
        if (limit < 1 || limit > most)
            throw RegistryErrors.RequestInvalid.With(limit, $"limit must be 1 to {most}.").AsException();
        var page = await registry.ListAsync(prefix, limit ?? Math.Min(100, most), continuation, ct);
        var byId = (await states.FindManyAsync([.. page.Items.Select(i => i.DeviceId)], ct))
            .ToDictionary(s => s.DeviceId);
        return new DevicePage(
            [.. page.Items.Select(i => DeviceItem.Of(i, byId.GetValueOrDefault(i.DeviceId)))], page.Continuation);
    }

    private static async Task<IResult> CreateAsync(
        NewDevice device, DeviceRegistry registry, HttpContext http, CancellationToken ct)
    {
        var made = await registry.CreateAsync(device, Actor(http), ct);
        return Tagged(http, made, null, StatusCodes.Status201Created);
    }

    private static async Task<DevicesMade> CreateManyAsync(
        IReadOnlyList<NewDevice> devices, DeviceRegistry registry, IOptions<RegistryOptions> options, HttpContext http,
        CancellationToken ct)
    {
        var most = options.Value.CreateDevicesMax;
        if (devices.Count == 0 || devices.Count > most)
            throw RegistryErrors.RequestInvalid.With(devices.Count, $"Send 1 to {most} devices.").AsException();
        var existing = await registry.CreateManyAsync(devices, Actor(http), ct);
        return new DevicesMade(devices.Count - existing.Count, existing);
    }

    private static async Task<IResult> ShowAsync(
        string id, DeviceRegistry registry, IDeviceStateStore states, HttpContext http, CancellationToken ct) =>
        Tagged(http, await registry.GetAsync(id, ct), await states.FindAsync(id, ct));

    private static async Task<IResult> UpdateAsync(
        string id, DeviceChange change, DeviceRegistry registry, IDeviceStateStore states, HttpContext http,
        CancellationToken ct)
    {
        long? expected = null;
        if (http.Request.Headers.IfMatch.ToString() is { Length: > 0 } tag && tag != "*")
        {
            expected = long.TryParse(tag.Trim('"'), out var version)
                ? version
                : throw RegistryErrors.RequestInvalid.With(tag, "If-Match takes the device's ETag.").AsException();
        }

        var updated = await registry.UpdateAsync(id, change, expected, Actor(http), ct);
        return Tagged(http, updated, await states.FindAsync(id, ct));
    }

    private static async Task<IResult> DeleteAsync(
        string id, DeviceRegistry registry, HttpContext http, CancellationToken ct)
    {
        await registry.DeleteAsync(id, Actor(http), ct);
        return Results.NoContent();
    }

    private static async Task<IResult> DisableAsync(
        string id, DeviceRegistry registry, HttpContext http, CancellationToken ct, string? reason = null) =>
        Tagged(http, await registry.SetStatusAsync(id, DeviceStatus.Disabled, reason, Actor(http), ct), null);

    private static async Task<IResult> EnableAsync(
        string id, DeviceRegistry registry, HttpContext http, CancellationToken ct) =>
        Tagged(http, await registry.SetStatusAsync(id, DeviceStatus.Enabled, null, Actor(http), ct), null);

    private static async Task<DeviceKeyPair> KeysAsync(string id, DeviceRegistry registry, CancellationToken ct) =>
        DeviceKeyPair.Of(await registry.GetAsync(id, ct));

    private static async Task<DeviceKeyPair> RegenerateAsync(
        string id, KeysRequest request, DeviceRegistry registry, HttpContext http, CancellationToken ct) =>
        DeviceKeyPair.Of(await registry.RegenerateKeysAsync(id, request.Which, Actor(http), ct));

    private static string Actor(HttpContext http) => http.User.Identity?.Name ?? "unknown";

    private static IResult Tagged(HttpContext http, DeviceIdentity identity, DeviceState? state, int status = 200)
    {
        http.Response.Headers.ETag = $"\"{identity.Version}\"";
        return Results.Json(DeviceItem.Of(identity, state), statusCode: status);
    }

    private static async ValueTask<object?> TellErrorsAsync(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (MillraceException e) when (StatusOf(e.Error.Code) is { } status)
        {
            return Problems.Problem(e.Error, status);
        }
    }

    private static int? StatusOf(string code) => code switch
    {
        "RG-0001" => StatusCodes.Status409Conflict,
        "RG-0002" => StatusCodes.Status404NotFound,
        "RG-0003" => StatusCodes.Status412PreconditionFailed,
        "RG-0004" or "RG-0005" or "RG-0006" or "RG-0007" or "MR-0001" => StatusCodes.Status400BadRequest,
        _ => null,
    };
}
