using System.Text.RegularExpressions;
using Millrace.Primitives;

namespace Millrace.Saql.Tests;

/// <summary>
/// One example of a file in Examples: a query, its input and all that comes out. An input line is
/// <c>time device/partition {body}</c>: mm:ss of 2026-01-01T00, "-" for no time or no device; lines of the same
/// partition arrive in this order. For other bodies see <see cref="ExampleBody"/>.
/// </summary>
internal sealed record Example(
    string File, string Name, string Query, QueryEngineOptions Options, IReadOnlyDictionary<string,
        IEnumerable<string>> Inputs,
    IReadOnlyDictionary<string, List<string>> References, IReadOnlyDictionary<string, List<string>> Outputs,
    IReadOnlyList<string> Failures, int Dropped, ExampleExtensions Extensions)
{
    private static readonly Regex InputLine =
        new(@"^(?<time>\S+) (?<device>[^\s/]+)(/(?<partition>\d+))? (?<body>.*)$");

    public static IEnumerable<Example> All() => Directory
        .EnumerateFiles(Path.Combine(TestContext.CurrentContext.TestDirectory, "Examples"), "*.txt").Order()
        .SelectMany(file => Parse(Path.GetFileNameWithoutExtension(file), System.IO.File.ReadAllText(file)));

    public QueryRun Run() => QueryRun.Over(
        QueryRun.Compile(Query, Extensions.CompileOptions([.. References.Keys])), Inputs, Options, References,
        Extensions.Models);

    public override string ToString() => $"{File}: {Name}";

    private static IEnumerable<Example> Parse(string file, string text)
    {
        foreach (var part in Regex.Split(text, @"^=== ", RegexOptions.Multiline).Skip(1))
        {
            var lines = part.Split('\n');
            yield return ParseOne(file, lines[0].Trim(), lines.Skip(1));
        }
    }

    private static Example ParseOne(string file, string name, IEnumerable<string> lines)
    {
        var sections = new Dictionary<string, List<string>>();
        var options = new QueryEngineOptions("q", 1);
        var dropped = 0;
        List<string>? current = null;
        foreach (var line in lines.Select(line => line.TrimEnd()))
        {
            if (line.Length == 0 || line.StartsWith("//")) continue;
            if (line.StartsWith("  ")) current!.Add(line[2..]);
            else if (line.EndsWith(':')) sections[line[..^1]] = current = [];
            else if (line.StartsWith("late ")) options = options with { LateTolerance = DurationText.Parse(line[5..]) };
            else if (line.StartsWith("out-of-order "))
                options = options with { OutOfOrderTolerance = DurationText.Parse(line[13..]) };
            else if (line == "policy drop") options = options with { DropOutOfOrder = true };
            else if (line.StartsWith("dropped ")) dropped = int.Parse(line[8..]);
            else throw new FormatException($"{file}, {name}: {line}");
        }

        return new Example(file, name, string.Join('\n', sections["query"]), options,
            sections.Where(pair => pair.Key.StartsWith("input ")).ToDictionary(
                pair => pair.Key[6..], pair => (IEnumerable<string>)[.. pair.Value.Select(FileLineOf)]),
            sections.Where(pair => pair.Key.StartsWith("reference ")).ToDictionary(
                pair => pair.Key[10..], pair => pair.Value),
            sections.Where(pair => pair.Key.StartsWith("gives "))
                .ToDictionary(pair => pair.Key[6..], pair => pair.Value),
            sections.GetValueOrDefault("fails", []), dropped, ExampleExtensions.Of(sections));
    }

    private static string FileLineOf(string line)
    {
        var match = InputLine.Match(line);
        Assert.That(match.Success, line);
        var other = ExampleBody.LineOf(
            match.Groups["time"].Value, match.Groups["device"].Value, match.Groups["body"].Value.Trim());
        if (other is not null) return other;
        var metadata = new List<string>();
        if (match.Groups["time"].Value != "-")
            metadata.Add($"\"EventEnqueuedUtcTime\":\"2026-01-01T00:{match.Groups["time"].Value}Z\"");
        if (match.Groups["device"].Value != "-")
            metadata.Add($"\"IoTHub\":{{\"ConnectionDeviceId\":\"{match.Groups["device"].Value}\"}}");
        if (match.Groups["partition"].Success) metadata.Add($"\"PartitionId\":{match.Groups["partition"].Value}");
        var body = match.Groups["body"].Value.Trim();
        var rest = body[1..].Trim();
        return "{" + string.Join(",", rest == "}" ? metadata : metadata.Append(rest[..^1])) + "}";
    }
}
