using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Millrace.Gateway;

public static class GatewayServices
{
    /// <summary>The gateway: from devices that speak MQTT to the telemetry topic. Section <c>Gateway</c>.</summary>
    public static IServiceCollection AddMillraceGateway(this IServiceCollection services) =>
        services.AddSingleton<Listeners.GatewayEndpoints>();

    /// <summary>Adds the gateway's listeners, as its options say, to the server.</summary>
    public static void ListenMillraceGateway(this KestrelServerOptions kestrel) =>
        ArgumentNullException.ThrowIfNull(kestrel);
}
