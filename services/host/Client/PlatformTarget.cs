using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Hosting;

namespace Millrace.Client;

/// <summary>Where a verb finds its platform, and who it is there.</summary>
internal sealed record PlatformTarget(Uri Server, string Token)
{
    /// <summary>
    /// --server and --token, else MILLRACE_SERVER and MILLRACE_TOKEN, else what the data folder says. CL-0001 or
    /// CL-0010 when nothing tells.
    /// </summary>
    public static PlatformTarget Find(ParseResult parsed)
    {
        var data = new DataFolder(CommonOptions.DataPath(parsed));
        var server = parsed.GetValue(CommonOptions.Server) ?? Environment.GetEnvironmentVariable("MILLRACE_SERVER");
        var token = parsed.GetValue(CommonOptions.Token) ?? Environment.GetEnvironmentVariable("MILLRACE_TOKEN");
        if (server is null && File.Exists(data.EndpointFile))
            server = (string?)JsonNode.Parse(File.ReadAllText(data.EndpointFile))?["http"];
        if (token is null && File.Exists(data.TokenFile)) token = File.ReadAllText(data.TokenFile).Trim();
        if (server is null) throw HostErrors.PlatformNotFound.With(data.Path).AsException();
        var address = Address(server);
        if (token is null) throw HostErrors.TokenMissing.With(data.TokenFile).AsException();
        return new PlatformTarget(address, token);
    }

    /// <summary>CL-0006 when it is none.</summary>
    public static Uri Address(string server) =>
        Uri.TryCreate(server, UriKind.Absolute, out var address) && address.Scheme is ("http" or "https")
            ? address
            : throw HostErrors.OptionInvalid.With(server, "--server takes an address such as http://127.0.0.1:8080.")
                .AsException();
}
