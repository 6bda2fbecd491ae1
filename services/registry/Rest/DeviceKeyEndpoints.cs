using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Hosting.Http;
using Millrace.Registry.Identities;

namespace Millrace.Registry.Rest;

/// <summary>A device's keys under /api/v1/devices/{id}/keys: nowhere else are they shown.</summary>
internal static class DeviceKeyEndpoints
{
    public static void MapDeviceKeys(this IEndpointRouteBuilder device)
    {
        device.MapGet("/keys", ShowAsync).RequireAuthorization(ApiScopes.Operate).WithName("ShowDeviceKeys")
            .WithSummary("A device's two keys").Produces<DeviceKeyPair>();
        device.MapPost("/keys/regenerate", RegenerateAsync).RequireAuthorization(ApiScopes.Operate)
            .WithName("RegenerateDeviceKeys").WithSummary("New keys, or exchange the two").Produces<DeviceKeyPair>();
    }

    private static async Task<DeviceKeyPair> ShowAsync(
        string id, DeviceRegistry registry, HttpContext http, CancellationToken ct)
    {
        http.Response.Headers.CacheControl = "no-store";
        return DeviceKeyPair.Of(await registry.GetAsync(id, ct));
    }

    private static async Task<DeviceKeyPair> RegenerateAsync(
        string id, KeysRequest request, DeviceRegistry registry, HttpContext http, CancellationToken ct)
    {
        http.Response.Headers.CacheControl = "no-store";
        return DeviceKeyPair.Of(
            await registry.RegenerateKeysAsync(id, request.Which, http.Expected(), http.Actor(), ct));
    }
}
