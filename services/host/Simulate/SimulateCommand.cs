using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Hosting;
using Millrace.Output;
using Millrace.Simulator;

namespace Millrace.Simulate;

/// <summary>millrace simulate: a fleet on real MQTT connections against a platform.</summary>
internal static class SimulateCommand
{
    private static readonly Option<string> Scenario = new("--scenario")
    {
        Description = "drones, machines, or a scenario file",
        HelpName = "drones|machines|FILE",
        DefaultValueFactory = _ => "drones",
    };

    private static readonly Option<double> Devices =
        CommonOptions.Number("--devices", "How many devices, each with a connection", 10, 1, 100_000);

    private static readonly Option<string> Prefix = new("--prefix")
    {
        Description = "Device ids begin with this; two fleets at a time need two",
        HelpName = "TEXT",
        DefaultValueFactory = _ => "sim-",
    };

    private static readonly Option<double> Rate =
        CommonOptions.Number("--rate", "Times faster than real time", 1, 0.001, 100_000);

    private static readonly Option<TimeSpan?> Duration =
        CommonOptions.Duration("--duration", "How long, such as 1m (else until Ctrl+C)");

    private static readonly Option<string?> Mqtt = new("--mqtt")
    {
        Description = "The gateway (else the data folder's)",
        HelpName = "HOST:PORT",
    };

    private static readonly Option<string?> Authority = new("--cafile")
    {
        Description = "Use TLS and trust this authority",
        HelpName = "FILE",
    };

    private static readonly Option<string?> TlsName = new("--tls-name")
    {
        Description = "The name that the gateway's certificate has (else the host of --mqtt)",
        HelpName = "NAME",
    };

    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "The same seed gives the same messages",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<double> Jitter =
        Share("--jitter", "How much a message may come earlier or later, as a share of its interval", 0.2);

    private static readonly Option<double> Late = Share("--late", "Share of messages that are two minutes old");
    private static readonly Option<double> Duplicate = Share("--duplicate", "Share of messages sent twice");
    private static readonly Option<double> Malformed = Share("--malformed", "Share of messages that are no JSON");
    private static readonly Option<double> InFlight = CommonOptions.Number(
        "--in-flight", "Messages of a device that may be on their way before it waits", 16, 1, 1_000);

    private static readonly Option<double> Offline =
        Share("--offline", "Share of messages after which a device goes away for ten seconds");

    public static Command Build() => Verb.Remote("simulate", "Run a fleet of simulated devices",
        "millrace simulate --scenario drones --devices 100 --rate 5 --duration 1m",
        async (parsed, api, ct) =>
        {
            var options = Options(parsed);
            var report = await WorkBar.RunAsync("Simulating", TimeProvider.System, bar =>
                RunAsync(api, options, bar, ct));
            ResultWriter.One(parsed.GetValue(CommonOptions.Output), new JsonObject
            {
                ["sent"] = report.Sent,
                ["acknowledged"] = report.Acknowledged,
                ["refused"] = report.Refused,
                ["ackP50Ms"] = report.AckP50Ms,
                ["ackP99Ms"] = report.AckP99Ms,
                ["ackMaxMs"] = report.AckMaxMs,
                ["lastRefusal"] = report.LastRefusal,
            });
            if (report is { Acknowledged: 0, Refused: > 0 })
                throw HostErrors.FleetRefused.With(options.Devices, report.LastRefusal).AsException();
        }, Scenario, Devices, Prefix, Rate, Duration, Mqtt, Authority, TlsName, Seed, Jitter, Late, Duplicate,
            Malformed, Offline, InFlight, CommonOptions.Output);

    private static SimulationOptions Options(ParseResult parsed)
    {
        var (host, port) = Address(parsed);
        return new SimulationOptions
        {
            Scenario = parsed.GetValue(Scenario)!,
            Devices = (int)parsed.GetValue(Devices),
            IdPrefix = parsed.GetValue(Prefix)!,
            Rate = parsed.GetValue(Rate),
            Duration = parsed.GetValue(Duration),
            Host = host,
            Port = port,
            AuthorityFile = parsed.GetValue(Authority),
            TlsName = parsed.GetValue(TlsName),
            Seed = parsed.GetValue(Seed),
            Jitter = parsed.GetValue(Jitter),
            LateShare = parsed.GetValue(Late),
            DuplicateShare = parsed.GetValue(Duplicate),
            MalformedShare = parsed.GetValue(Malformed),
            OfflineShare = parsed.GetValue(Offline),
            InFlightMax = (int)parsed.GetValue(InFlight),
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

    private static async Task<SimulationReport> RunAsync(
        ApiClient api, SimulationOptions options, IProgress<WorkDone> bar, CancellationToken ct)
    {
        var simulation = new FleetSimulation(options, TimeProvider.System);
        var keys = await EnsureDevicesAsync(api, options.DeviceIds, bar, ct);
        return await simulation.RunAsync(keys, new FleetProgress(options, TimeProvider.System, bar), ct);
    }

    /// <summary>Makes the devices that are missing, and returns the keys of all.</summary>
    private static async Task<Dictionary<string, string>> EnsureDevicesAsync(
        ApiClient api, IReadOnlyList<string> ids, IProgress<WorkDone> bar, CancellationToken ct)
    {
        foreach (var chunk in ids.Chunk(1_000))
            await api.PostAsync("api/v1/devices/batch",
                new JsonArray([.. chunk.Select(id => new JsonObject { ["deviceId"] = id })]), ct);
        var keys = new Dictionary<string, string>();
        foreach (var id in ids)
        {
            var path = $"api/v1/devices/{Uri.EscapeDataString(id)}/keys";
            keys[id] = (string)(await api.GetAsync(path, ct))!["primaryKey"]!;
            bar.Report(new WorkDone((double)keys.Count / ids.Count, $"Keys of {keys.Count} of {ids.Count} devices"));
        }

        return keys;
    }

    private static Option<double> Share(string name, string description, double value = 0) =>
        CommonOptions.Number(name, description, value, 0, 1);

    /// <summary>Tells what a fleet did so far, and how much of its time is over.</summary>
    private sealed class FleetProgress(SimulationOptions options, TimeProvider time, IProgress<WorkDone> bar)
        : IProgress<SimulationReport>
    {
        private readonly long _began = time.GetTimestamp();

        public void Report(SimulationReport value) => bar.Report(new WorkDone(
            time.GetElapsedTime(_began) / options.Duration,
            $"{value.Connected} connected, {value.Sent} sent, {value.Acknowledged} acknowledged, " +
            $"{value.Refused} refused, p99 {value.AckP99Ms} ms"));
    }
}
