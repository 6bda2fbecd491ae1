using System.CommandLine;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Learning;

/// <summary>millrace model register: an ONNX model from elsewhere.</summary>
internal static class ModelRegisterCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The model's name" };

    private static readonly Option<FileInfo> File = new("--file") { Description = "An ONNX file", Required = true };

    private static readonly Option<string> Features = new("--features")
    {
        Description = "The names of its features in order, with commas between",
        Required = true,
    };

    private static readonly Option<string> Kind = new("--kind")
    {
        Description = "anomaly, remaining-life or score",
        DefaultValueFactory = _ => "score",
    };

    private static readonly Option<string?> Output = new("--score-output")
    {
        Description = "The model's output that is the score (else its first)",
    };

    private static readonly Option<string[]> Metrics = new("--metric")
    {
        Description = "NAME:NUMBER, as its maker measured it; may be repeated",
    };

    public static Command Build() => Verb.Remote("register", "Register an ONNX model as a new version",
        "millrace model register wear --file wear.onnx --features vibration,temperature", async (parsed, api, ct) =>
        {
            var file = parsed.GetValue(File)!;
            if (!file.Exists) throw HostErrors.FileUnreadable.With(file).AsException();
            var pairs = new List<string> { Pair("features", parsed.GetValue(Features)!) };
            pairs.Add(Pair("kind", parsed.GetValue(Kind)!));
            if (parsed.GetValue(Output) is { } output) pairs.Add(Pair("output", output));
            pairs.AddRange((parsed.GetValue(Metrics) ?? []).Select(metric => Pair("metric", metric)));
            var name = Uri.EscapeDataString(parsed.GetValue(Name)!);
            var path = $"api/v1/models/{name}/versions?{string.Join('&', pairs)}";
            var made = await api.PostBytesAsync(path, await System.IO.File.ReadAllBytesAsync(file.FullName, ct), ct);
            ResultWriter.Said(parsed.GetValue(CommonOptions.Output),
                $"{parsed.GetValue(Name)}: version {(int?)made!["version"]} is registered.", made.AsObject());
        }, Name, File, Features, Kind, Output, Metrics, CommonOptions.Output);

    private static string Pair(string name, string value) => $"{name}={Uri.EscapeDataString(value)}";
}
