using Millrace.Hosting;
using Millrace.Platform;
using Millrace.Stores.Identities;

namespace Millrace.Dev;

/// <summary>What a newcomer sees: addresses, and lines that work when pasted.</summary>
internal static class DevBanner
{
    public static void Print(
        PlatformEndpoints endpoints, PlatformSecrets secrets, DeviceIdentity device, DataFolder data)
    {
        var id = device.DeviceId;
        var way = endpoints.HasMqtts
            ? $"--cafile '{secrets.AuthorityFile}' -h localhost -p {endpoints.MqttsPort}"
            : $"-h 127.0.0.1 -p {endpoints.MqttPort}";
        var publish = $"mosquitto_pub {way} " +
            $"-i {id} -u {id} -P '{device.PrimaryKey}' -q 1 -t telemetry -m '{{\"temperature\": 21.5}}'";
        var show = $"curl -s -H \"Authorization: Bearer $(cat '{data.TokenFile}')\" " +
            $"{endpoints.Http}/api/v1/devices/{id}/telemetry";
        var text = $$"""
            Millrace is running. Data: {{data.Path}}

              API            {{endpoints.Http}}/api/v1   (OpenAPI: {{endpoints.Http}}/openapi/v1.json)
              MQTT           127.0.0.1:{{endpoints.MqttPort}}   (plain, loopback only)
              MQTT over TLS  {{(endpoints.HasMqtts ? $"localhost:{endpoints.MqttsPort}" : "off")}}
              CA file        {{secrets.AuthorityFile}}
              Admin token    {{data.TokenFile}}

              Device         HostName=localhost;DeviceId={{id}};SharedAccessKey={{device.PrimaryKey}}

            Send a message:
              {{publish}}

            See it:
              {{show}}

            """;
        Console.WriteLine(text);
    }
}
