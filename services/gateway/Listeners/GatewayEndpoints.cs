using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Millrace.Gateway.Listeners;

/// <summary>Where the gateway listens, known once the server has started: a port 0 has become a real one.</summary>
public sealed class GatewayEndpoints
{
    /// <summary>Plain MQTT, or null when it is not enabled.</summary>
    public IPEndPoint? Mqtt => OnLoops ?? Plain?.IPEndPoint;

    /// <summary>MQTT over TLS, or null when it is not enabled.</summary>
    public IPEndPoint? Mqtts => TlsOnLoops ?? Tls?.IPEndPoint;

    /// <summary>MQTT over WebSocket, or null when it is not enabled.</summary>
    public IPEndPoint? WebSocket => PlainWebSocket?.IPEndPoint;

    /// <summary>MQTT over WebSocket and TLS, or null when it is not enabled.</summary>
    public IPEndPoint? WebSocketTls => TlsWebSocket?.IPEndPoint;

    internal ListenOptions? PlainWebSocket { get; set; }

    internal ListenOptions? TlsWebSocket { get; set; }

    internal IPEndPoint? OnLoops { get; set; }

    internal IPEndPoint? TlsOnLoops { get; set; }

    internal ListenOptions? Plain { get; set; }

    internal ListenOptions? Tls { get; set; }
}
