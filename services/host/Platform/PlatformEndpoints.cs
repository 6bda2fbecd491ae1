using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Gateway.Listeners;
using Millrace.Hosting;

namespace Millrace.Platform;

/// <summary>
/// Where a platform that was started listens; a port 0 has become a real one, and one that is not open is 0.
/// </summary>
internal sealed record PlatformEndpoints(string Http, int MqttPort, int MqttsPort)
{
    [JsonIgnore]
    public bool HasMqtts => MqttsPort > 0;

    public static PlatformEndpoints Of(WebApplication app)
    {
        var gateway = app.Services.GetService<GatewayEndpoints>();
        var (mqtt, mqtts) = (gateway?.Mqtt?.Port ?? 0, gateway?.Mqtts?.Port ?? 0);
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        int?[] others = [mqtt, mqtts, gateway?.WebSocket?.Port, gateway?.WebSocketTls?.Port];
        var http = addresses.Select(a => new Uri(a)).First(a => !others.Contains(a.Port));
        return new PlatformEndpoints($"http://{Reachable(http)}:{http.Port}", mqtt, mqtts);
    }

    /// <summary>One that listens on all addresses is reached, from here, on loopback.</summary>
    private static string Reachable(Uri address) =>
        address.Host is "0.0.0.0" or "[::]" ? "127.0.0.1" : address.Host;

    /// <summary>Writes them where verbs on this machine look.</summary>
    public void Save(DataFolder data)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, JsonSerializerOptions.Web);
        var part = data.EndpointFile + ".part";
        File.WriteAllBytes(part, json);
        File.Move(part, data.EndpointFile, overwrite: true);
    }
}
