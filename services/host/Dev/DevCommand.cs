using System.CommandLine;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Client;
using Millrace.Hosting;
using Millrace.Platform;
using Millrace.Registry.Identities;
using Millrace.Run;
using Millrace.Stores.Identities;

namespace Millrace.Dev;

/// <summary>millrace dev: the whole platform in one process, with no server and no configuration.</summary>
internal static class DevCommand
{
    private const string DemoDevice = "my-device";
    private const string Actor = "millrace dev";

    private static readonly Option<int> Simulate = new("--simulate")
    {
        Description = "Also run so many simulated drones, with a query that raises alerts",
    };

    private static readonly Option<int> MqttPort = Port("--mqtt-port", "plain MQTT on loopback", 1883);
    private static readonly Option<int> MqttsPort = Port("--mqtts-port", "MQTT over TLS", 8883);
    private static readonly Option<int> HttpPort = Port("--http-port", "the API on loopback", 8080);

    private static readonly Option<int?> WebSocketPort = new("--websocket-port")
    {
        Description = "Also speak MQTT over WebSocket on this port of loopback",
    };

    public static Command Build() => Verb.Local("dev", "The whole platform in one process, nothing else needed",
        "millrace dev --simulate 20", RunAsync, CommonOptions.Data, Simulate, MqttPort, MqttsPort,
        HttpPort, WebSocketPort, RunCommands.Config);

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken ct)
    {
        var data = new DataFolder(Path.GetFullPath(CommonOptions.DataPath(parsed)));
        var token = PlatformSecrets.EnsureToken(data);
        var secrets = PlatformSecrets.Ensure(data, TimeProvider.System);
        var app = PlatformBuilder.Build(data, PlatformBuilder.AllRoles, Ports(parsed, given: true),
            RunCommands.ConfigFile(parsed), [.. Defaults(parsed, secrets), .. Ports(parsed, given: false)]);
        await WaitingRoom.WaitAsync(app, ct);
        await PlatformRunner.StartAsync(app, ct);
        var endpoints = await PlatformRunner.OpenAsync(app, data, token, PlatformBuilder.AllRoles, ct);
        var device = await EnsureDemoDeviceAsync(app, ct);
        DevBanner.Print(endpoints, secrets, device, data);

        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var fleet = parsed.GetValue(Simulate) is > 0 and var count
            ? DevFleet.RunAsync(app, endpoints, secrets, count, stopping.Token)
            : Task.CompletedTask;
        var status = StatusLine.RunAsync(app, stopping.Token);
        await PlatformRunner.WaitAsync(app, ct, async () =>
        {
            // The fleet goes first, so that its last messages are answered.
            await stopping.CancelAsync();
            try
            {
                await Task.WhenAll(fleet, status);
            }
            catch (OperationCanceledException)
            {
                // It was stopped while the fleet was still made.
            }
        });
        return Verb.Done;
    }

    /// <summary>Those that the command line gives, which win over all, or the others.</summary>
    private static IEnumerable<KeyValuePair<string, string?>> Ports(ParseResult parsed, bool given)
    {
        (Option<int> Option, string Key)[] ports =
            [(MqttPort, "Gateway:Mqtt:Port"), (MqttsPort, "Gateway:Mqtts:Port"), (HttpPort, "Http:Port")];
        foreach (var (option, key) in ports)
        {
            if (parsed.GetResult(option) is { Implicit: false } == given)
                yield return new(key, $"{parsed.GetValue(option)}");
        }

        if (!given || parsed.GetValue(WebSocketPort) is not { } port) yield break;
        yield return new("Gateway:WebSocket:Enabled", "true");
        yield return new("Gateway:WebSocket:Port", $"{port}");
    }

    private static IEnumerable<KeyValuePair<string, string?>> Defaults(ParseResult parsed, PlatformSecrets secrets) =>
    [
        new("Gateway:Mqtts:Enabled", "true"),
        new("Gateway:Mqtts:CertificateFile", secrets.ServerCertificateFile),
        new("Gateway:Mqtts:KeyFile", secrets.ServerKeyFile),
        new("Archiver:RollAge", "00:00:05"),
        // Which columns the archive has, a file says itself.
        .. parsed.GetValue(RunCommands.Config) is null
            ? Promoted("temperature", "battery", "altitude", "speed", "vibration", "rpm")
            : [],
        new("Logging:Level", "Warning"),
    ];

    /// <summary>Numbers that the simulated fleets and the first examples send, as columns of the archive.</summary>
    private static IEnumerable<KeyValuePair<string, string?>> Promoted(params string[] names) =>
        names.SelectMany((name, i) => new KeyValuePair<string, string?>[]
        {
            new($"Archiver:PromotedColumns:{i}:Name", name), new($"Archiver:PromotedColumns:{i}:Path", name),
        });

    private static async Task<DeviceIdentity> EnsureDemoDeviceAsync(WebApplication app, CancellationToken ct)
    {
        var registry = app.Services.GetRequiredService<DeviceRegistry>();
        return await registry.FindAsync(DemoDevice, ct) ??
            await registry.CreateAsync(new NewDevice(DemoDevice), Actor, ct);
    }

    private static Option<int> Port(string name, string what, int port) => new(name)
    {
        Description = $"Port of {what}; 0 takes any free one",
        DefaultValueFactory = _ => port,
    };
}
