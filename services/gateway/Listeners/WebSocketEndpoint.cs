using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Millrace.Gateway.Listeners;

/// <summary>
/// MQTT over WebSocket (MQTT 5 §6). Its listeners are marked, so that nothing else of the process is served on them,
/// and this is served nowhere else.
/// </summary>
internal sealed class WebSocketEndpoint(MqttConnectionHandler handler, GatewayMetrics metrics, TimeProvider time)
    : IStartupFilter
{
    private const string Protocol = "mqtt";
    private static readonly string[] Paths = ["/mqtt", "/$iothub/websocket"];
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    public static void Mark(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(next => connection =>
        {
            connection.Features.Set(ListenerMark.Instance);
            return next(connection);
        });
    }

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.MapWhen(static http => http.Features.Get<ListenerMark>() is not null, branch =>
        {
            // MQTT has a keep-alive of its own; the client's pings are answered all the same.
            branch.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
            branch.Run(ServeAsync);
        });
        next(app);
    };

    private Task ServeAsync(HttpContext http)
    {
        if (!Paths.Contains(http.Request.Path.Value))
            return Refuse(http, StatusCodes.Status404NotFound, "websocket-path");
        if (!http.WebSockets.IsWebSocketRequest)
            return Refuse(http, StatusCodes.Status400BadRequest, "no-websocket");
        return http.WebSockets.WebSocketRequestedProtocols.Contains(Protocol)
            ? RunAsync(http)
            : Refuse(http, StatusCodes.Status400BadRequest, "websocket-protocol");
    }

    private Task Refuse(HttpContext http, int status, string reason)
    {
        metrics.Refused(reason);
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private async Task RunAsync(HttpContext http)
    {
        var certificate = http.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        using var socket = await http.WebSockets.AcceptWebSocketAsync(Protocol).ConfigureAwait(false);
        var passage = (UpgradeGate.Passage)http.Features.GetRequiredFeature<IConnectionItemsFeature>()
            .Items[typeof(UpgradeGate.Passage)]!;
        if (!passage.TryComeThrough()) return;
        var transport = new WebSocketTransport(socket, metrics);
        var carrying = transport.RunAsync();
        try
        {
            var address = http.Connection.RemoteIpAddress;
            await handler.RunReservedAsync(transport, certificate, socket.Abort, address, TimeSpan.Zero)
                .ConfigureAwait(false);
        }
        finally
        {
            transport.Complete();
            await CloseAsync(socket, carrying).ConfigureAwait(false);
        }
    }

    /// <summary>Lets the closing handshake end, but does not wait for a client that leaves it open.</summary>
    private async Task CloseAsync(WebSocket socket, Task carrying)
    {
        try
        {
            await carrying.WaitAsync(CloseTimeout, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            socket.Abort();
            await carrying.ConfigureAwait(false);
        }
    }

    private sealed class ListenerMark
    {
        public static readonly ListenerMark Instance = new();
    }
}
