using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Hosting;
using Millrace.Output;
using Millrace.Primitives;
using Millrace.Simulator;
using Spectre.Console;

namespace Millrace.Simulate;

/// <summary>millrace simulate: a fleet on real MQTT connections against a platform.</summary>
internal static class SimulateCommand
{
    private static readonly Option<string> Scenario = new("--scenario")
    {
        Description = "drones, machines, or a scenario file",
        DefaultValueFactory = _ => "drones",
    };

    private static readonly Option<int> Devices = Number("--devices", "How many devices", 10);
    private static readonly Option<double> Rate = Share("--rate", "Times faster than real time", 1);
    private static readonly Option<string?> Duration = new(
        "--duration")
    { Description = "How long, such as 1m (else until Ctrl+C)" };
    private static readonly Option<string?> Mqtt = new(
        "--mqtt")
    { Description = "HOST:PORT of the gateway (else the data folder's)" };
    private static readonly Option<string?> Authority = new(
        "--cafile")
    { Description = "Use TLS and trust this authority" };
    private static readonly Option<int> Seed = Number("--seed", "The same seed gives the same messages", 1);
    private static readonly Option<double> Late = Share("--late", "Share of messages that are minutes old", 0);
    private static readonly Option<double> Duplicate = Share("--duplicate", "Share of messages sent twice", 0);
    private static readonly Option<double> Malformed = Share("--malformed", "Share of messages that are no JSON", 0);
    private static readonly Option<double> Offline = Share("--offline",
        "Share of messages after which a device goes away", 0);

    public static Command Build() => Verb.Remote("simulate", "Run a fleet of simulated devices",
        "millrace simulate --scenario drones --devices 100 --rate 5 --duration 1m",
        async (parsed, api, ct) =>
        {
            var options = Options(parsed);
            var keys = await EnsureDevicesAsync(api, options.DeviceIds, ct);
            var simulation = new FleetSimulation(options, TimeProvider.System);
            var report = await RunAsync(simulation, keys, ct);
            ResultWriter.One(parsed.GetValue(CommonOptions.Output), new JsonObject
            {
                ["sent"] = report.Sent,
                ["acknowledged"] = report.Acknowledged,
                ["refused"] = report.Refused,
                ["ackP50Ms"] = report.AckP50Ms,
                ["ackP99Ms"] = report.AckP99Ms,
                ["ackMaxMs"] = report.AckMaxMs,
            });
        }, Scenario, Devices, Rate, Duration, Mqtt, Authority, Seed, Late, Duplicate, Malformed, Offline,
            CommonOptions.Output);

    private static SimulationOptions Options(ParseResult parsed)
    {
        var (host, port) = Address(parsed);
        return new SimulationOptions
        {
            Scenario = parsed.GetValue(Scenario)!,
            Devices = parsed.GetValue(Devices),
            Rate = parsed.GetValue(Rate),
            Duration = parsed.GetValue(Duration) is { } text ? DurationText.Parse(text) : null,
            Host = host,
            Port = port,
            AuthorityFile = parsed.GetValue(Authority),
            Seed = parsed.GetValue(Seed),
            LateShare = parsed.GetValue(Late),
            DuplicateShare = parsed.GetValue(Duplicate),
            MalformedShare = parsed.GetValue(Malformed),
            OfflineShare = parsed.GetValue(Offline),
        };
    }

    private static (string Host, int Port) Address(ParseResult parsed)
    {
        if (parsed.GetValue(Mqtt) is { } text)
        {
            var colon = text.LastIndexOf(':');
            return colon > 0 && int.TryParse(text.AsSpan(colon + 1), out var port)
                ? (text[..colon], port)
                : throw HostErrors.OptionInvalid.With(text, "--mqtt takes HOST:PORT.").AsException();
        }

        var file = new DataFolder(CommonOptions.DataPath(parsed)).EndpointFile;
        if (!File.Exists(file)) throw HostErrors.PlatformNotFound.With(file).AsException();
        var endpoint = JsonNode.Parse(File.ReadAllText(file))!;
        return ("127.0.0.1", (int)endpoint[parsed.GetValue(Authority) is null ? "mqttPort" : "mqttsPort"]!);
    }

    /// <summary>Makes the devices that are missing, and returns the keys of all.</summary>
    private static async Task<Dictionary<string, string>> EnsureDevicesAsync(
        ApiClient api, IReadOnlyList<string> ids, CancellationToken ct)
    {
        foreach (var chunk in ids.Chunk(1_000))
            await api.PostAsync("api/v1/devices/batch",
                new JsonArray([.. chunk.Select(id => new JsonObject { ["deviceId"] = id })]), ct);
        var keys = new Dictionary<string, string>();
        foreach (var id in ids)
            keys[id] = (string)(await api.GetAsync($"api/v1/devices/{id}/keys", ct))!["primaryKey"]!;
        return keys;
    }

    private static async Task<SimulationReport> RunAsync(
        FleetSimulation simulation, IReadOnlyDictionary<string, string> keys, CancellationToken ct)
    {
        if (!Verb.Interactive) return await simulation.RunAsync(keys, null, ct);
        return await AnsiConsole.Status().StartAsync("Connecting", context => simulation.RunAsync(keys,
            new Progress<SimulationReport>(r => context.Status =
                $"{r.Connected} connected, {r.Sent} sent, {r.Acknowledged} acknowledged, {r.Refused} refused, " +
                $"p99 {r.AckP99Ms} ms"),
            ct));
    }

    private static Option<int> Number(string name, string what, int value) =>
        new(name) { Description = what, DefaultValueFactory = _ => value };

    private static Option<double> Share(string name, string what, double value) =>
        new(name) { Description = what, DefaultValueFactory = _ => value };
}
