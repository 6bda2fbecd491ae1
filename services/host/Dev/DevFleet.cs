using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Api.Queries;
using Millrace.Platform;
using Millrace.Registry.Identities;
using Millrace.Simulator;

namespace Millrace.Dev;

/// <summary>The simulated fleet of `millrace dev --simulate`, with a query that makes something of it.</summary>
internal static class DevFleet
{
    private const string Actor = "millrace dev";
    private const string Query = """
        -- Drones that should come home: raised for each message below 15 %.
        SELECT
            IoTHub.ConnectionDeviceId AS deviceId,
            CASE WHEN battery < 8 THEN 'critical' ELSE 'warning' END AS severity,
            'The battery is low' AS message,
            battery
        INTO alerts
        FROM telemetry
        WHERE battery < 15
        """;

    public static async Task RunAsync(
        WebApplication app, PlatformEndpoints endpoints, PlatformSecrets secrets, int count, CancellationToken stop)
    {
        var registry = app.Services.GetRequiredService<DeviceRegistry>();
        var options = new SimulationOptions
        {
            Devices = count,
            IdPrefix = "drone-",
            Host = endpoints.HasMqtts ? "localhost" : "127.0.0.1",
            Port = endpoints.HasMqtts ? endpoints.MqttsPort : endpoints.MqttPort,
            AuthorityFile = endpoints.HasMqtts ? secrets.AuthorityFile : null,
        };
        await registry.CreateManyAsync([.. options.DeviceIds.Select(id => new NewDevice(id))], Actor, stop);
        var keys = new Dictionary<string, string>();
        foreach (var id in options.DeviceIds) keys[id] = (await registry.GetAsync(id, stop)).PrimaryKey;
        await app.Services.GetRequiredService<QueryApplier>().EnsureAsync("low-battery", Query, stop);
        await new FleetSimulation(options, TimeProvider.System).RunAsync(keys, null, stop);
    }
}
