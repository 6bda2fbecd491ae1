using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Millrace.Gateway.Mqtt;

namespace Millrace.Gateway.Listeners;

/// <summary>Where Kestrel hands a connection over, decrypted where it came over TLS.</summary>
internal sealed class MqttConnectionHandler(GatewayRuntime runtime) : ConnectionHandler
{
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        if (runtime.IsDraining)
        {
            runtime.Metrics.Refused("shutdown");
            return Task.CompletedTask;
        }

        var certificate = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        var mqtt = new MqttConnection(runtime, connection.Transport, certificate, connection.Abort)
        {
            IsLocal = connection.RemoteEndPoint is IPEndPoint { Address: var remote } && IPAddress.IsLoopback(remote),
        };
        if (!runtime.Connections.TryAdd(mqtt, runtime.Options.ConnectionsMax))
        {
            runtime.Metrics.Refused("connections-max");
            return Task.CompletedTask;
        }

        runtime.Metrics.ConnectionOpened();
        return mqtt.RunAsync();
    }
}
