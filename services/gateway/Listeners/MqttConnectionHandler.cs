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
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        if (!TryAdmit(connection.Items, out var wait)) return Task.CompletedTask;
        var certificate = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        return TryRun(connection.Transport, certificate, connection.Abort, address, wait) ?? Task.CompletedTask;
    }

    /// <param name="items">What those before have left; one that they have admitted is not asked again.</param>
    /// <inheritdoc cref="TryAdmit(out TimeSpan)"/>
    public bool TryAdmit(IDictionary<object, object?> items, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        return items.Remove(typeof(Admission)) || TryAdmit(out wait);
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
        IDuplexPipe transport, X509Certificate2? certificate, Action abort, IPAddress? address, TimeSpan wait) =>
        TryReserve() ? RunReservedAsync(transport, certificate, abort, address, wait) : null;

    /// <summary>Takes a place for one that is on its way. False, and counted, when there are too many.</summary>
    public bool TryReserve()
    {
        if (!runtime.Connections.TryReserve(runtime.Options.ConnectionsMax))
        {
            runtime.Metrics.Refused("connections-max");
            return false;
        }

        runtime.Metrics.ConnectionOpened();
        return true;
    }

    /// <summary>Gives up the place of one that has not come.</summary>
    public void GiveUp(ConnectionEnd end)
    {
        runtime.Connections.GiveUp();
        runtime.Metrics.ConnectionClosed(end.Reason);
    }

    /// <summary>Runs one that has a place until it has ended.</summary>
    public Task RunReservedAsync(
        IDuplexPipe transport, X509Certificate2? certificate, Action abort, IPAddress? address, TimeSpan wait)
    {
        var mqtt = new MqttConnection(runtime, transport, certificate, abort, address) { TurnWait = wait };
        runtime.Connections.Add(mqtt);
        return mqtt.RunAsync();
    }
}

/// <summary>A connection's place in the hub's connect rate, taken before it came through TLS.</summary>
internal sealed class Admission
{
    public static readonly Admission Given = new();
}
