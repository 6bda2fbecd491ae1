using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Millrace.Output;
using Millrace.Primitives;

namespace Millrace.Client;

/// <summary>Options that many verbs have, and the kinds of values that options take.</summary>
internal static class CommonOptions
{
    public static readonly Option<string?> Server = new("--server")
    {
        Description = "Address of the platform's API (else MILLRACE_SERVER, else the data folder's)",
        HelpName = "URL",
    };

    public static readonly Option<string?> Token = new("--token")
    {
        Description = "Bearer token (else MILLRACE_TOKEN, else the data folder's)",
        HelpName = "TOKEN",
    };

    public static readonly Option<string?> Data = new("--data")
    {
        Description = "Data folder (else MILLRACE_DATA, else ./millrace-data)",
        HelpName = "DIR",
    };

    /// <summary>A table when it is not given.</summary>
    public static readonly Option<OutputFormat> Output = new("--output")
    {
        Description = "How the answer is printed (else as a table)",
        HelpName = "table|json|csv",
        CustomParser = result => Parsed(result, "table, json or csv", Format) ?? default,
    };

    public static string DataPath(ParseResult parsed) =>
        parsed.GetValue(Data) ?? Environment.GetEnvironmentVariable("MILLRACE_DATA") ?? "millrace-data";

    public static Option<DateTimeOffset?> Time(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result => Parsed<DateTimeOffset>(result, "an ISO 8601 time, like 2026-01-31T12:00:00Z", text =>
            DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                ? time
                : null),
    };

    public static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "D",
        CustomParser = result => Parsed<TimeSpan>(result, "a duration, such as 500ms, 5s, 10m, 1h or 7d", text =>
            DurationText.TryParse(text, out var duration) ? duration : null),
    };

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static Option<double> Number(string name, string description, double value, double least, double most) =>
        new(name)
        {
            Description = description,
            HelpName = "N",
            DefaultValueFactory = _ => value,
            CustomParser = result => Parsed<double>(result, string.Create(CultureInfo.InvariantCulture,
                $"a number from {least} to {most}"), text =>
                double.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
                    ? number
                    : null) ?? value,
        };

    private static OutputFormat? Format(string text) => text.ToLowerInvariant() switch
    {
        "table" => OutputFormat.Table,
        "json" => OutputFormat.Json,
        "csv" => OutputFormat.Csv,
        _ => null,
    };

    /// <summary>The value, or what the option takes as the error.</summary>
    private static T? Parsed<T>(ArgumentResult result, string takes, Func<string, T?> parse)
        where T : struct
    {
        var text = result.Tokens.Count == 0 ? "" : result.Tokens[^1].Value;
        if (parse(text) is { } value) return value;
        result.AddError($"{(result.Parent as OptionResult)?.Option.Name} takes {takes}, not '{text}'.");
        return null;
    }
}
