using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Listeners;
using Millrace.Gateway.Publishing;
using Millrace.Gateway.Sockets.Tls;

namespace Millrace.Gateway.Sockets;

/// <summary>The listeners that the options do not leave to Kestrel, each with loops of its own.</summary>
internal sealed class LoopListeners(
    IOptions<GatewayOptions> options, MqttConnectionHandler handler, TlsEntrance tlsEntrance,
    GatewayEndpoints endpoints, SharedWork shared, ILogger<LoopListener> log) : IDisposable
{
    private LoopListener? _plain;
    private LoopListener? _tls;

    /// <summary>They listen from now on.</summary>
    public void Start()
    {
        var (plain, tls) = (options.Value.Mqtt, options.Value.Mqtts);
        if (plain is { Enabled: true, EventLoops: > 0 })
        {
            var address = ListenerAddress.EndPoint(plain.Address, plain.Port);
            _plain = new LoopListener("mqtt", address, plain.EventLoops, handler, EnterPlain, shared.Help, log);
            endpoints.OnLoops = _plain.EndPoint;
        }

        if (tls is { IsEnabled: true, EventLoops: > 0, HasOpenSsl: false }) log.OpenSslIsMissing();
        if (!tls.IsOnLoops) return;
        tlsEntrance.Start();
        var secure = ListenerAddress.EndPoint(tls.Address, tls.Port);
        _tls = new LoopListener("mqtts", secure, tls.EventLoops, handler, tlsEntrance.Enter, shared.Help,
            log);
        endpoints.TlsOnLoops = _tls.EndPoint;
    }

    public void StopListening()
    {
        _plain?.StopListening();
        _tls?.StopListening();
        tlsEntrance.Stop();
    }

    public void Dispose()
    {
        StopListening();
        tlsEntrance.Dispose();
        _plain?.Dispose();
        _tls?.Dispose();
        _plain = _tls = null;
    }

    private void EnterPlain(LoopSocket socket, IPAddress? address, TimeSpan wait)
    {
        if (handler.TryRun(socket, certificate: null, socket.Abort, address, wait) is null) socket.CompleteBoth();
        socket.Start();
    }
}
