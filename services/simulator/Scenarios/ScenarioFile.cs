using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Primitives;

namespace Millrace.Simulator.Scenarios;

/// <summary>
/// A scenario from a JSON file: <c>{"messages": [{"kind": "climate", "every": "5s", "fields": {"temperature":
/// {"min": 18, "max": 24}, "room": ["a", "b"], "unit": "C"}}]}</c>. A field is a range, a list to choose from, or a
/// constant.
/// </summary>
internal sealed record ScenarioFile(IReadOnlyList<ScenarioFile.Message> Messages)
{
    internal sealed record Message(string Kind, TimeSpan Every, JsonObject Fields);

    /// <summary>The file's scenario, or an error SI-0001 or SI-0002.</summary>
    public static ScenarioFile Read(string path)
    {
        if (!File.Exists(path)) throw SimulatorErrors.ScenarioUnknown.With(path).AsException();
        try
        {
            var messages = JsonNode.Parse(File.ReadAllText(path))!["messages"]!.AsArray().Select(m => new Message(
                (string?)m!["kind"] ?? "message", DurationText.Parse((string)m["every"]!), m["fields"]!.AsObject()));
            var scenario = new ScenarioFile([.. messages]);
            if (scenario.Fault is { } fault) throw SimulatorErrors.ScenarioInvalid.With(path, fault).AsException();
            return scenario;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException ||
            (e is MillraceException m && m.Error.Definition != SimulatorErrors.ScenarioInvalid))
        {
            throw SimulatorErrors.ScenarioInvalid.With(path, e.Message).AsException(e);
        }
    }

    /// <summary>What devices could not do; null when all is well.</summary>
    private string? Fault
    {
        get
        {
            if (Messages.Count == 0) return "There are no messages.";
            if (Messages.FirstOrDefault(m => m.Every <= TimeSpan.Zero) is { } still)
                return $"{still.Kind} comes every 0; make it more.";
            if (Messages.Any(m => m.Fields.ContainsKey("time")))
                return "time is the time of the message in each body; name the field otherwise.";
            var wrong = Messages.SelectMany(m => m.Fields).FirstOrDefault(f => !CanBe(f.Value));
            return wrong.Key is null ? null : $"{wrong.Key} is neither a range of two numbers, a list, nor a constant.";
        }
    }

    private static bool CanBe(JsonNode? field) => field switch
    {
        JsonObject range => IsNumber(range["min"]) && IsNumber(range["max"]),
        JsonArray choices => choices.Count > 0,
        _ => true,
    };

    private static bool IsNumber(JsonNode? node) => node?.GetValueKind() == JsonValueKind.Number;
}

/// <summary>A device of a scenario file.</summary>
internal sealed class ScriptedDevice(ScenarioFile scenario, Random random) : IDeviceModel
{
    private readonly TimeSpan[] _due = [.. scenario.Messages.Select(m => m.Every * random.NextDouble())];
    private TimeSpan _now;

    public SimulatedMessage Next()
    {
        var next = Array.IndexOf(_due, _due.Min());
        var (message, after) = (scenario.Messages[next], _due[next] - _now);
        _now = _due[next];
        _due[next] += message.Every;
        var body = new JsonObject(message.Fields.Select(f => KeyValuePair.Create(f.Key, Value(f.Value))));
        return new SimulatedMessage(after, message.Kind, JsonSerializer.SerializeToUtf8Bytes(body));
    }

    private JsonNode? Value(JsonNode? field) => field switch
    {
        JsonObject range => Math.Round(
            (double)range["min"]! + (random.NextDouble() * ((double)range["max"]! - (double)range["min"]!)), 3),
        JsonArray choices => choices[random.Next(choices.Count)]?.DeepClone(),
        _ => field?.DeepClone(),
    };
}

internal static class Scenario
{
    /// <summary>Makes the models of a scenario's devices; each has a random of its own, so that order does not
    /// matter.</summary>
    public static Func<int, IDeviceModel> Models(string scenario, int seed)
    {
        if (scenario == "drones") return i => new Drone(RandomOf(seed, i));
        if (scenario == "machines") return i => new Machine(RandomOf(seed, i));
        var file = ScenarioFile.Read(scenario);
        return i => new ScriptedDevice(file, RandomOf(seed, i));
    }

    public static Random RandomOf(int seed, int device) => new(unchecked((seed * 7_919) + device));
}
