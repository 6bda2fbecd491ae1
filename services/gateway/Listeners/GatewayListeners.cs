using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Limits;

namespace Millrace.Gateway.Listeners;

/// <summary>Adds the listeners that the options ask for.</summary>
internal static class GatewayListeners
{
    public static void Add(KestrelServerOptions kestrel)
    {
        var options = kestrel.ApplicationServices.GetRequiredService<IOptions<GatewayOptions>>().Value;
        var endpoints = kestrel.ApplicationServices.GetRequiredService<GatewayEndpoints>();
        kestrel.Limits.MaxRequestBufferSize = options.ReadBufferBytesMax.Bytes;
        var handshakes = kestrel.ApplicationServices.GetRequiredService<HandshakeGate>();
        if (options.Mqtt is { Enabled: true, EventLoops: 0 })
        {
            kestrel.Listen(ListenerAddress.EndPoint(options.Mqtt.Address, options.Mqtt.Port), listen =>
            {
                endpoints.Plain = listen;
                listen.UseConnectionHandler<MqttConnectionHandler>();
            });
        }

        if (options.Mqtts is { IsEnabled: true, IsOnLoops: false })
        {
            kestrel.Listen(ListenerAddress.EndPoint(options.Mqtts.Address, options.Mqtts.Port), listen =>
            {
                endpoints.Tls = listen;
                listen.Use(next => handshakes.Before(next, options.Mqtts.HandshakeTimeout));
                listen.UseHttps(Tls(kestrel, "mqtts", options.Mqtts));
                listen.Use(handshakes.After);
                listen.UseConnectionHandler<MqttConnectionHandler>();
            });
        }
    }

    public static void AddWebSockets(KestrelServerOptions kestrel)
    {
        var options = kestrel.ApplicationServices.GetRequiredService<IOptions<GatewayOptions>>().Value;
        var endpoints = kestrel.ApplicationServices.GetRequiredService<GatewayEndpoints>();
        var upgrades = kestrel.ApplicationServices.GetRequiredService<UpgradeGate>();
        var (plain, tls) = (options.WebSocket, options.WebSocketTls.OrCertificateOf(options.Mqtts));
        if (plain.Enabled)
        {
            kestrel.Listen(ListenerAddress.EndPoint(plain.Address, plain.Port), listen =>
            {
                endpoints.PlainWebSocket = listen;
                listen.Use(upgrades.Before);
                WebSocketEndpoint.Mark(listen);
            });
        }

        if (tls.IsEnabled)
        {
            var handshakes = kestrel.ApplicationServices.GetRequiredService<HandshakeGate>();
            kestrel.Listen(ListenerAddress.EndPoint(tls.Address, tls.Port), listen =>
            {
                endpoints.TlsWebSocket = listen;
                listen.Use(next => handshakes.Before(next, tls.HandshakeTimeout));
                listen.UseHttps(Tls(kestrel, "wss", tls));
                listen.Use(handshakes.After);
                listen.Use(upgrades.Before);
                WebSocketEndpoint.Mark(listen);
            });
        }
    }

    private static HttpsConnectionAdapterOptions Tls(
        KestrelServerOptions kestrel, string listener, TlsListenerOptions options)
    {
        var services = kestrel.ApplicationServices;
        var certificate = new ServerCertificate(
            listener, options, isOnLoops: false, services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<GatewayMetrics>(), services.GetRequiredService<ILogger<ServerCertificate>>());
        return new HttpsConnectionAdapterOptions
        {
            ServerCertificate = certificate.Current.TargetCertificate,
            SslProtocols = options.TlsMin == SslProtocols.Tls13
                ? SslProtocols.Tls13
                : SslProtocols.Tls12 | SslProtocols.Tls13,
            HandshakeTimeout = options.HandshakeTimeout,
            ClientCertificateMode = options.ClientCertificates
                ? ClientCertificateMode.AllowCertificate
                : ClientCertificateMode.NoCertificate,

            // Devices are known by their certificate's thumbprint, whoever signed it; the login compares it.
            ClientCertificateValidation = static (_, _, _) => true,
            CheckCertificateRevocation = false,

            OnAuthenticate = (_, tls) =>
            {
                tls.ServerCertificateContext = certificate.Current;

                // Kestrel would take HTTP's names only, and refuse clients that ask for MQTT by ALPN.
                tls.ApplicationProtocols = [];
            },
        };
    }
}
