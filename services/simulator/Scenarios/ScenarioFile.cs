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
            return new ScenarioFile([.. messages]);
        }
        catch (Exception e) when (
            e is JsonException or InvalidOperationException or NullReferenceException or MillraceException)
        {
            throw SimulatorErrors.ScenarioInvalid.With(path, e.Message).AsException(e);
        }
    }
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
