using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Millrace.Client;
using Millrace.Extensions;
using Millrace.Output;
using Millrace.Platform;
using Millrace.Primitives;
using Millrace.Saql;
using Millrace.Saql.Extensions;
using Millrace.Saql.Models;

namespace Millrace.Queries;

/// <summary>millrace query ...</summary>
internal static class QueryCommands
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The query's name" };
    public static readonly Argument<FileInfo> File = new("FILE") { Description = "A file with the query's text" };
    public static readonly Option<string[]> Reference = new("--reference")
    {
        Description = "A name that is reference data; may be repeated",
    };

    /// <summary>What the installation adds to the language.</summary>
    public static readonly Option<FileInfo?> Config = new("--config")
    {
        Description = "The platform's configuration, for what its Queries:Extensions and Queries:Plans say",
        HelpName = "FILE",
    };

    public static Command Build() => Verb.Group("query", "Stream queries: run over files, validate, apply, look at",
        QueryRunCommand.Build(), QueryValidateCommand.Build(), Apply(), List(), Show(), Rows(), Explain(),
        Change("pause", "paused", "Stop a query at a checkpoint"),
        Change("resume", "running", "Go on from the checkpoint"), Delete());

    private static Command Apply()
    {
        var name = new Option<string?>("--name") { Description = "The query's name (else the file's)" };
        var late = CommonOptions.Duration("--late", "Late arrival tolerance, such as 5s");
        var outOfOrder = CommonOptions.Duration("--out-of-order", "Out-of-order tolerance, such as 0s");
        var policy = new Option<string?>("--policy") { Description = "adjust or drop" };
        var onError = new Option<string?>("--on-error") { Description = "drop or stop" };
        var from = new Option<string?>("--from") { Description = "now, earliest, last, state, or an ISO 8601 time" };
        var warm = new Option<bool?>("--warm") { Description = "Keep output rows in the warm store (else true)" };
        var archive = new Option<bool?>("--archive")
        {
            Description = "Keep output rows in the archive, each output as a table (else false)",
        };
        var state = new Option<string?>("--state-max")
        {
            Description = "How much it may keep at one place, such as 64MiB (else what the process allows)",
            HelpName = "SIZE",
        };
        policy.AcceptOnlyFromAmong("adjust", "drop");
        onError.AcceptOnlyFromAmong("drop", "stop");
        return Verb.Remote("apply", "Create a query, or replace the one of that name",
            "millrace query apply low-battery.saql --name low-battery",
            async (parsed, api, ct) =>
            {
                var file = parsed.GetValue(File)!;
                var body = new JsonObject
                {
                    ["name"] = parsed.GetValue(name) ?? Path.GetFileNameWithoutExtension(file.Name),
                    ["text"] = Text(file),
                    ["late"] = Text(parsed.GetValue(late)),
                    ["outOfOrder"] = Text(parsed.GetValue(outOfOrder)),
                    ["policy"] = parsed.GetValue(policy),
                    ["onError"] = parsed.GetValue(onError),
                    ["startFrom"] = parsed.GetValue(from),
                    ["warmOutputs"] = parsed.GetValue(warm),
                    ["archiveOutputs"] = parsed.GetValue(archive),
                    ["stateBytesMax"] = parsed.GetValue(state),
                };
                var query = await api.PostAsync("api/v1/queries", body, ct);
                TellWarnings(query!);
                ResultWriter.Said(parsed.GetValue(CommonOptions.Output),
                    $"{(string?)query!["name"]} version {(int?)query["version"]}: {(string?)query["state"]}",
                    query.AsObject());
            }, File, name, late, outOfOrder, policy, onError, from, warm, archive, state,
            CommonOptions.Output);
    }

    private static Command List() => Verb.Remote("list", "All queries with their status", "millrace query list",
        async (parsed, api, ct) =>
        {
            var answer = await api.GetAsync("api/v1/queries", ct);
            var items = answer!["items"]!.AsArray().Select(i => i!.AsObject()).ToList();
            ResultWriter.List(parsed.GetValue(CommonOptions.Output), items, ("name", "name"), ("version", "version"),
                ("state", "state"), ("in", "status.rowsIn"), ("out", "status.rowsOut"),
                ("failed", "status.rowsFailed"), ("in/s", "status.rowsInPerSecond"), ("lag", "status.lagRecords"),
                ("watermark", "status.watermark"), ("error", "status.error"));
        }, CommonOptions.Output);

    private static Command Show() =>
        Verb.Remote("show", "One query with its text and status", "millrace query show low-battery",
        async (parsed, api, ct) =>
        {
            var query = await api.GetAsync(At(parsed), ct);
            ResultWriter.One(parsed.GetValue(CommonOptions.Output), query!.AsObject());
        }, Name, CommonOptions.Output);

    private static Command Rows()
    {
        var output = new Argument<string>("OUTPUT") { Description = "The name after INTO" };
        var limit = new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 20 };
        return Verb.Remote("rows", "Rows of a query output, newest first", "millrace query rows averages --limit 5",
            async (parsed, api, ct) =>
            {
                var name = Uri.EscapeDataString(parsed.GetValue(output)!);
                var items = await api.ListAsync($"api/v1/outputs/{name}/rows", parsed.GetValue(limit), ct);
                ResultWriter.List(parsed.GetValue(CommonOptions.Output), items, ("at", "at"), ("query", "query"),
                    ("row", "row"));
            }, output, limit, CommonOptions.Output);
    }

    /// <summary>Takes a file, or the name of a query that is applied.</summary>
    private static Command Explain()
    {
        var what = new Argument<string>("FILE-OR-NAME") { Description = "A file, or the name of an applied query" };
        return Verb.Remote("explain", "A query's plan as a tree", "millrace query explain low-battery",
            async (parsed, api, ct) =>
            {
                var answer = await api.GetAsync(
                    $"api/v1/queries/{Uri.EscapeDataString(parsed.GetValue(what)!)}/explain", ct);
                TellWarnings(answer!);
                ResultWriter.Said(parsed.GetValue(CommonOptions.Output), (string?)answer!["plan"] ?? "",
                    answer.AsObject());
            }, what, Reference, Config, CommonOptions.Output).OrLocal(parsed =>
            {
                if (!System.IO.File.Exists(parsed.GetValue(what))) return null;
                var result = Compile(parsed, new FileInfo(parsed.GetValue(what)!));
                Tell(result.Diagnostics);
                if (result.Plan is not { } plan) return Verb.Failed;
                ResultWriter.Said(parsed.GetValue(CommonOptions.Output), plan.Explain(),
                    new JsonObject { ["plan"] = plan.Explain() });
                return Verb.Done;
            });
    }

    public static CompileResult Compile(
        ParseResult parsed, FileInfo file, IReadOnlyCollection<QueryModel>? models = null)
    {
        var hub = CompileOptions.Hub(Extensions(parsed));
        return SaqlCompiler.Compile(Text(file), hub with
        {
            References = [.. hub.References!, .. parsed.GetValue(Reference) ?? []],
            KnownModels = models,
        });
    }

    public static QueryExtensions Extensions(ParseResult parsed)
    {
        if (parsed.GetValue(Config) is not { } file) return QueryExtensions.None;
        if (!file.Exists) throw HostErrors.FileUnreadable.With(file).AsException();
        try
        {
            return ExtensionServices.Load(new ConfigurationBuilder().AddJsonFile(file.FullName).Build());
        }
        catch (OptionsValidationException wrong)
        {
            throw PlatformRunner.Explained(wrong);
        }
    }

    private static Command Change(string verb, string state, string description) => Verb.Remote(verb, description,
        $"millrace query {verb} low-battery",
        async (parsed, api, ct) =>
        {
            await api.PostAsync($"{At(parsed)}/{verb}", null, ct);
            Tell(parsed, state);
        }, Name, CommonOptions.Output);

    private static Command Delete() => Verb.Remote("delete", "Remove a query; the rows it wrote stay",
        "millrace query delete low-battery", async (parsed, api, ct) =>
        {
            await api.DeleteAsync(At(parsed), ct);
            Tell(parsed, "deleted");
        }, Name, CommonOptions.Output);

    private static void Tell(ParseResult parsed, string state) => ResultWriter.Said(
        parsed.GetValue(CommonOptions.Output), $"{parsed.GetValue(Name)}: {state}",
        new JsonObject { ["name"] = parsed.GetValue(Name), ["state"] = state });

    private static string? Text(TimeSpan? duration) => duration is { } given ? DurationText.Format(given) : null;

    private static string At(ParseResult parsed) => $"api/v1/queries/{Uri.EscapeDataString(parsed.GetValue(Name)!)}";

    public static string Text(FileInfo file)
    {
        try
        {
            return System.IO.File.ReadAllText(file.FullName);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw HostErrors.FileUnreadable.With(file, e.Message).AsException(e);
        }
    }

    /// <summary>Of an answer, which has none when the platform is older.</summary>
    private static void TellWarnings(JsonNode answer)
    {
        if (answer["warnings"] is { } warnings)
            Tell(warnings.Deserialize<IReadOnlyList<SaqlDiagnostic>>(JsonSerializerOptions.Web)!);
    }

    public static void Tell(IEnumerable<SaqlDiagnostic> diagnostics)
    {
        foreach (var found in diagnostics) Console.Error.WriteLine($"{found}\n{found.Excerpt}");
    }
}
