using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Bridge;
using Millrace.Gateway.Lifecycle;
using Millrace.Gateway.Limits;
using Millrace.Gateway.Listeners;
using Millrace.Gateway.Mqtt;
using Millrace.Gateway.Publishing;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.Sockets;
using Millrace.Gateway.Sockets.Tls;
using Millrace.Gateway.Topics;
using Millrace.Gateway.TopicSpaces;
using Millrace.Hosting.Options;

namespace Millrace.Gateway;

public static class GatewayRegistration
{
    /// <summary>
    /// The gateway: from devices that speak MQTT to the telemetry topic. Needs an IEventLog, the stores and a
    /// TimeProvider; options in section <c>Gateway</c>.
    /// </summary>
    public static IServiceCollection AddMillraceGateway(this IServiceCollection services)
    {
        services.AddValidatedOptions<GatewayOptions>("Gateway");
        services.AddSingleton<IValidateOptions<GatewayOptions>, GatewayOptionsValidator>();
        services.AddValidatedOptions<TopicSpacesOptions>("Gateway:TopicSpaces");
        services.AddSingleton<IValidateOptions<TopicSpacesOptions>, TopicSpacesOptionsValidator>();
        services.AddMetrics();
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<GatewayEndpoints>();
        services.AddSingleton<BatchLinger>();
        services.AddSingleton<SharedWork>();
        services.AddSingleton<TelemetryPublisher>();
        services.AddSingleton<LifecycleWriter>();
        services.AddSingleton<GatewayRun>();
        services.AddSingleton<LostRuns>();
        services.AddSingleton<PeerWatch>();
        services.AddSingleton<TopicRouter>();
        services.AddSingleton<IdentityCache>();
        services.AddSingleton<DeviceAuthenticator>();
        services.AddSingleton<RefusalLog>();
        services.AddSingleton<ConnectionTable>();
        services.AddSingleton<WillPublisher>();
        services.AddSingleton<TopicSpaceTable>();
        services.AddSingleton<SpaceMembers>();
        services.AddSingleton<SpaceLog>();
        services.AddSingleton<SpaceRetained>();
        services.AddSingleton<SpaceBroker>();
        services.AddSingleton<SessionTakeOver>();
        services.AddSingleton<NodeLease>();
        services.AddSingleton<SessionEnds>();
        services.AddSingleton<EndedSessions>();
        services.AddSingleton<QueueMemory>();
        services.AddSingleton<SessionKeeper>();
        services.AddSingleton<SessionRecovery>();
        services.AddSingleton<SessionSweeper>();
        services.AddSingleton<MessageDelivery>();
        services.AddSingleton<DeviceMessageReader>();
        services.AddSingleton<GatewayLimits>();
        services.AddSingleton<HandshakeGate>();
        services.AddSingleton<GatewayRuntime>();
        services.AddSingleton<ConnectionWatch>();
        services.AddSingleton<RevocationWatch>();
        services.AddSingleton<MqttConnectionHandler>();
        services.AddSingleton<UpgradeGate>();
        services.AddSingleton<IStartupFilter, WebSocketEndpoint>();
        services.AddSingleton<TlsEntrance>();
        services.AddSingleton<LoopListeners>();
        services.AddHostedService<GatewayService>();
        services.AddSingleton<IValidateOptions<GatewayOptions>, BridgeOptionsValidator>();
        services.AddSingleton<BridgeMetrics>();
        services.AddHostedService<BridgeService>();
        return services;
    }

    /// <summary>
    /// Adds the gateway's listeners, as its options say, to the server. Where they have come to listen is in
    /// <see cref="GatewayEndpoints"/>.
    /// </summary>
    public static void ListenMillraceGateway(this KestrelServerOptions kestrel)
    {
        GatewayListeners.Add(kestrel);
        GatewayListeners.AddWebSockets(kestrel);
    }
}
