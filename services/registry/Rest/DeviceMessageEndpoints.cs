using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Hosting.Http;
using Millrace.Registry.Messages;

namespace Millrace.Registry.Rest;

/// <summary>Messages to a device under /api/v1/devices/{id}/messages.</summary>
internal static class DeviceMessageEndpoints
{
    public static void MapDeviceMessages(this IEndpointRouteBuilder device) =>
        device.MapPost("/messages", SendAsync).RequireAuthorization(ApiScopes.Operate).WithName("SendDeviceMessage")
            .WithSummary("Send a message to a device")
            .WithDescription("It is durable when this is answered. It goes to those sessions of the device that " +
                "subscribe to its topic, and waits in those that are kept while the device is away.")
            .Produces<SentMessage>(StatusCodes.Status202Accepted);

    private static async Task<IResult> SendAsync(
        string id, NewMessage message, DeviceMessages messages, CancellationToken ct) =>
        Results.Json(await messages.SendAsync(id, message, ct), statusCode: StatusCodes.Status202Accepted);
}
