using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Gateway.Listeners;
using Millrace.Hosting;

namespace Millrace.Dev;

/// <summary>Where a platform that was started listens; a port 0 has become a real one.</summary>
internal sealed record DevEndpoints(string Http, int MqttPort, int MqttsPort)
{
    public static DevEndpoints Of(WebApplication app)
    {
        var gateway = app.Services.GetRequiredService<GatewayEndpoints>();
        var (mqtt, mqtts) = (gateway.Mqtt?.Port ?? 0, gateway.Mqtts?.Port ?? 0);
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        int?[] others = [mqtt, mqtts, gateway.WebSocket?.Port, gateway.WebSocketTls?.Port];
        var http = addresses.Select(a => new Uri(a)).First(a => !others.Contains(a.Port));
        return new DevEndpoints($"http://{http.Host}:{http.Port}", mqtt, mqtts);
    }

    /// <summary>Writes them where verbs on this machine look.</summary>
    public void Save(DataFolder data)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, JsonSerializerOptions.Web);
        var part = data.EndpointFile + ".part";
        File.WriteAllBytes(part, json);
        File.Move(part, data.EndpointFile, overwrite: true);
    }
}
