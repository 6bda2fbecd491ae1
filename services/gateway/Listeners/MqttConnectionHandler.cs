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
        (connection.RemoteEndPoint as IPEndPoint)?.Address, connection.Items);

    /// <summary>Runs until the connection has ended, over whatever transport.</summary>
    /// <param name="items">What those before have left; one that they have admitted is not asked again.</param>
    public Task RunAsync(
        IDuplexPipe transport, X509Certificate2? certificate, Action abort, IPAddress? address,
        IDictionary<object, object?>? items)
    {
        var wait = TimeSpan.Zero;
        return items?.Remove(typeof(Admission)) == true || TryAdmit(out wait)
            ? TryRun(transport, certificate, abort, address, wait) ?? Task.CompletedTask
            : Task.CompletedTask;
    }

    /// <summary>
    /// Takes a place in the hub's connect rate, for which the connection will wait before it reads. False, and
    /// counted, when that is too far: then the caller closes it, before it has cost more than that.
    /// </summary>
    public bool TryAdmit(out TimeSpan wait)
    {
        wait = default;
        var limits = runtime.Limits;
        if (runtime.IsDraining)
        {
            runtime.Metrics.Refused("shutdown");
            return false;
        }

        if (!limits.Hub.TryConnect(limits.NowNs, limits.Options.ConnectWaitMax, out wait))
        {
            runtime.Metrics.Refused("connect-rate");
            return false;
        }

        if (wait > TimeSpan.Zero) runtime.Metrics.Paused("connect-rate");
        return true;
    }

    /// <summary>Runs one that was admitted until it has ended. Null when there are too many.</summary>
    public Task? TryRun(
        IDuplexPipe transport, X509Certificate2? certificate, Action abort, IPAddress? address, TimeSpan wait)
    {
        var mqtt = new MqttConnection(runtime, transport, certificate, abort, address) { TurnWait = wait };
        if (!runtime.Connections.TryAdd(mqtt, runtime.Options.ConnectionsMax))
        {
            runtime.Metrics.Refused("connections-max");
            return null;
        }

        runtime.Metrics.ConnectionOpened();
        return mqtt.RunAsync();
    }
}

/// <summary>A connection's place in the hub's connect rate, taken before it came through TLS.</summary>
internal sealed class Admission
{
    public static readonly Admission Given = new();
}
