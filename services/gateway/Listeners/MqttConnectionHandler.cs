using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Millrace.Gateway.Mqtt;

namespace Millrace.Gateway.Listeners;

/// <summary>Where the transports hand a connection over, decrypted where it came over TLS.</summary>
internal sealed class MqttConnectionHandler(GatewayRuntime runtime) : ConnectionHandler
{
    public override Task OnConnectedAsync(ConnectionContext connection) => RunAsync(
        connection.Transport, connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate, connection.Abort,
        (connection.RemoteEndPoint as IPEndPoint)?.Address);

    /// <summary>Runs until the connection has ended, over whatever transport.</summary>
    public Task RunAsync(IDuplexPipe transport, X509Certificate2? certificate, Action abort, IPAddress? address) =>
        TryRun(transport, certificate, abort, address) ?? Task.CompletedTask;

    /// <summary>Runs until the connection has ended. Null when it is not let in: the caller closes it.</summary>
    public Task? TryRun(IDuplexPipe transport, X509Certificate2? certificate, Action abort, IPAddress? address)
    {
        if (runtime.IsDraining)
        {
            runtime.Metrics.Refused("shutdown");
            return null;
        }

        var mqtt = new MqttConnection(runtime, transport, certificate, abort, address);
        if (!mqtt.TryTakeTurn())
        {
            runtime.Metrics.Refused("connect-rate");
            return null;
        }

        if (!runtime.Connections.TryAdd(mqtt, runtime.Options.ConnectionsMax))
        {
            runtime.Metrics.Refused("connections-max");
            return null;
        }

        runtime.Metrics.ConnectionOpened();
        return mqtt.RunAsync();
    }
}
