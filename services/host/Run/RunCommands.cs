using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Client;
using Millrace.Hosting;
using Millrace.Hosting.Node;
using Millrace.Hosting.Roles;
using Millrace.Output;
using Millrace.Platform;

namespace Millrace.Run;

/// <summary>millrace run and millrace check-config: roles from configuration.</summary>
internal static class RunCommands
{
    private static readonly Option<string> Roles = new("--roles")
    {
        Description = "Roles of this process, separated by commas: gateway, registry, stream-processor, archiver, " +
            "cold-path, api",
        DefaultValueFactory = _ => "gateway,registry,stream-processor,archiver,cold-path,api",
    };

    private static readonly Option<string?> Config = new("--config")
    {
        Description = "A JSON file; environment variables MILLRACE_Section__Key and --set win over it",
        HelpName = "FILE",
    };

    private static readonly Option<string[]> Set = new("--set")
    {
        Description = "Section:Key=VALUE; may be repeated",
        HelpName = "KEY=VALUE",
    };

    public static Command BuildRun() => Verb.Local("run", "Run roles of the platform by their configuration",
        "millrace run --roles gateway,registry,api --config millrace.json", async (parsed, ct) =>
        {
            var (data, roles, settings, file) = Read(parsed);
            var token = PlatformSecrets.EnsureToken(data);
            var app = PlatformBuilder.Build(data, roles, settings, file);
            using var node = NodeLock.Take(data, app.Services.GetRequiredService<IOptions<NodeOptions>>().Value.Name);
            await WaitingRoom.WaitAsync(app, ct);
            await PlatformRunner.StartAsync(app, ct);
            var endpoints = await PlatformRunner.OpenAsync(app, data, token, roles, ct);
            Console.WriteLine($"Running {string.Join(", ", roles.Select(Name))}. HTTP: {endpoints.Http}; " +
                $"administrator's token: {data.TokenFile}");
            await PlatformRunner.WaitAsync(app, ct);
            return Verb.Done;
        }, Roles, Config, Set, CommonOptions.Data);

    public static Command BuildCheck() => Verb.Local("check-config", "Look at the configuration, and start nothing",
        "millrace check-config --config millrace.json", (parsed, _) =>
        {
            var (data, roles, settings, file) = Read(parsed);
            PlatformBuilder.Check(data, roles, settings, file);
            ResultWriter.Said(parsed.GetValue(CommonOptions.Output), "The configuration is valid.",
                new JsonObject { ["valid"] = true });
            return Task.FromResult(Verb.Done);
        }, Roles, Config, Set, CommonOptions.Data, CommonOptions.Output);

    private static (DataFolder, List<MillraceRole>, List<KeyValuePair<string, string?>>,
        string?) Read(ParseResult parsed)
    {
        var roles = parsed.GetValue(Roles)!.Split(',',
            StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(Role).Distinct().ToList();
        var settings = new List<KeyValuePair<string, string?>>();
        foreach (var pair in parsed.GetValue(Set) ?? [])
        {
            var equals = pair.IndexOf('=');
            if (equals <= 0) throw HostErrors.OptionInvalid.With(pair, "--set takes KEY=VALUE.").AsException();
            settings.Add(new(pair[..equals], pair[(equals + 1)..]));
        }

        var file = parsed.GetValue(Config);
        if (file is not null && !File.Exists(file)) throw HostErrors.FileUnreadable.With(file).AsException();
        return (new DataFolder(CommonOptions.DataPath(parsed)), roles, settings, file);
    }

    private static string Name(MillraceRole role) => JsonNamingPolicy.KebabCaseLower.ConvertName(role.ToString());

    private static MillraceRole Role(string name) =>
        Enum.TryParse<MillraceRole>(name.Replace("-", ""), ignoreCase: true, out var role) && Enum.IsDefined(role)
            ? role
            : throw HostErrors.RoleUnknown.With(name).AsException();
}
