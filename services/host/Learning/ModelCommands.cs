using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Learning;

/// <summary>millrace model ...</summary>
internal static class ModelCommands
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The model's name" };
    private static readonly Argument<int> Version = new("VERSION") { Description = "The version's number" };

    private static readonly Argument<int> Other = new("OTHER") { Description = "The number of another version" };

    private static readonly Option<FileInfo> Target = new("--file")
    {
        Description = "A file to write",
        Required = true,
    };

    public static Command Build() => Verb.Group("model", "Models that queries score with",
        List(), Show(), ModelRegisterCommand.Build(), Promote(), Rollback(), Compare(), Export());

    private static Command List() => Verb.Remote("list", "The models that there are", "millrace model list",
        async (parsed, api, ct) =>
        {
            var answer = await api.GetAsync("api/v1/models", ct);
            ResultWriter.List(parsed.GetValue(CommonOptions.Output), Items(answer!["items"]), ("name", "name"),
                ("versions", "versions"), ("promoted", "promoted"), ("kind", "newest.kind"),
                ("format", "newest.format"), ("created", "newest.createdAt"));
        }, CommonOptions.Output);

    private static Command Show() => Verb.Remote("show", "A model's versions, and how queries call it",
        "millrace model show wear", async (parsed, api, ct) =>
        {
            var model = (await api.GetAsync(At(parsed), ct))!.AsObject();
            var output = parsed.GetValue(CommonOptions.Output);
            if (output == OutputFormat.Json)
            {
                ResultWriter.One(output, model);
                return;
            }

            if (output == OutputFormat.Table) Console.WriteLine((string?)model["call"]);
            var versions = Items(model["versions"]);
            foreach (var version in versions)
            {
                version["isPromoted"] = (int?)version["version"] == (int?)model["promoted"] ? "promoted" : "";
                version["measured"] = string.Join(' ', version["metrics"]!.AsObject().Select(metric =>
                    string.Create(CultureInfo.InvariantCulture, $"{metric.Key}={(double)metric.Value!:G4}")));
            }

            ResultWriter.List(output, versions, ("version", "version"), ("", "isPromoted"), ("created", "createdAt"),
                ("by", "by"), ("source", "source"), ("metrics", "measured"));
        }, Name, CommonOptions.Output);

    private static Command Promote() => Verb.Remote("promote", "Make a version the one that queries use",
        "millrace model promote wear 2", async (parsed, api, ct) =>
        {
            var body = new JsonObject { ["version"] = parsed.GetValue(Version) };
            Tell(parsed, await api.PostAsync($"{At(parsed)}/promote", body, ct));
        }, Name, Version, CommonOptions.Output);

    private static Command Rollback() => Verb.Remote("rollback", "Go back to the version that was promoted before",
        "millrace model rollback wear", async (parsed, api, ct) =>
            Tell(parsed, await api.PostAsync($"{At(parsed)}/rollback", null, ct)), Name, CommonOptions.Output);

    private static Command Compare() => Verb.Remote("compare", "The metrics of two versions side by side",
        "millrace model compare wear 1 2", async (parsed, api, ct) =>
        {
            var (left, right) = (parsed.GetValue(Version), parsed.GetValue(Other));
            var answer = await api.GetAsync($"{At(parsed)}/compare?left={left}&right={right}", ct);
            ResultWriter.List(parsed.GetValue(CommonOptions.Output), Items(answer!["items"]), ("metric", "metric"),
                ($"{left}", "left"), ($"{right}", "right"));
        }, Name, Version, Other, CommonOptions.Output);

    private static Command Export() => Verb.Remote("export", "A version as a file, for millrace query run",
        "millrace model export wear 2 --file wear.model", async (parsed, api, ct) =>
        {
            var file = parsed.GetValue(Target)!;
            using var response = await api.OpenAsync(HttpMethod.Get,
                $"{At(parsed)}/versions/{parsed.GetValue(Version)}/file", null, "application/zip", ct);
            await using var target = file.Create();
            await response.Content.CopyToAsync(target, ct);
            ResultWriter.Said(parsed.GetValue(CommonOptions.Output), $"{file.Name} is written.",
                new JsonObject { ["file"] = file.FullName });
        }, Name, Version, Target, CommonOptions.Output);

    private static void Tell(ParseResult parsed, JsonNode? promotion) => ResultWriter.Said(
        parsed.GetValue(CommonOptions.Output),
        $"{parsed.GetValue(Name)}: version {(int?)promotion!["version"]} is promoted.", promotion.AsObject());

    private static List<JsonObject> Items(JsonNode? items) => [.. items!.AsArray().Select(item => item!.AsObject())];

    private static string At(ParseResult parsed) => $"api/v1/models/{Uri.EscapeDataString(parsed.GetValue(Name)!)}";
}
