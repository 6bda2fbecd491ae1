using Microsoft.AspNetCore.Http;
using Millrace.Hosting.Http;
using Millrace.Primitives;
using Millrace.Stores;

namespace Millrace.Registry.Rest;

/// <summary>What a user asked wrongly, as a problem with its code; the rest is for the host to tell.</summary>
internal static class DeviceProblems
{
    private static readonly Dictionary<ErrorDefinition, int> StatusCodeOf = new()
    {
        [RegistryErrors.DeviceExists] = StatusCodes.Status409Conflict,
        [RegistryErrors.DeviceNotFound] = StatusCodes.Status404NotFound,
        [RegistryErrors.VersionConflict] = StatusCodes.Status412PreconditionFailed,
        [RegistryErrors.KeyInvalid] = StatusCodes.Status400BadRequest,
        [RegistryErrors.ThumbprintInvalid] = StatusCodes.Status400BadRequest,
        [RegistryErrors.TagsInvalid] = StatusCodes.Status400BadRequest,
        [RegistryErrors.RequestInvalid] = StatusCodes.Status400BadRequest,
        [PrimitiveErrors.DeviceIdInvalid] = StatusCodes.Status400BadRequest,
        [StoreErrors.ContinuationInvalid] = StatusCodes.Status400BadRequest,
    };

    public static async ValueTask<object?> TellAsync(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (MillraceException e) when (StatusCodeOf.TryGetValue(e.Error.Definition, out var status))
        {
            RegistryMetrics.Refused.Add(1, new KeyValuePair<string, object?>("reason", e.Error.Code));
            return Problems.Problem(e.Error, status);
        }
    }

    /// <summary>Who asks, as the audit writes it down.</summary>
    public static string Actor(this HttpContext http) => http.User.Identity?.Name ?? "unknown";
}
