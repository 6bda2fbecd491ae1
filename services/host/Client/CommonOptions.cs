using System.CommandLine;
using Millrace.Output;

namespace Millrace.Client;

/// <summary>Options that many verbs have.</summary>
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

    public static readonly Option<OutputFormat> Output = new("--output")
    {
        Description = "How the answer is printed: table, json or csv",
        DefaultValueFactory = _ => OutputFormat.Table,
    };

    public static string DataPath(ParseResult parsed) =>
        parsed.GetValue(Data) ?? Environment.GetEnvironmentVariable("MILLRACE_DATA") ?? "millrace-data";
}
