using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Output;
using Millrace.Saql;

namespace Millrace.Queries;

/// <summary>
/// millrace query validate: here, by what the options say, or by a platform, which knows its inputs, models and
/// extensions.
/// </summary>
internal static class QueryValidateCommand
{
    public static Command Build() => Verb.Local("validate", "Compile a query and print all that is wrong with it",
        "millrace query validate low-battery.saql", async (parsed, ct) =>
        {
            var check = IsRemote(parsed) ? await AskAsync(parsed, ct) : Compile(parsed);
            QueryCommands.Tell(check.Diagnostics);
            if (!check.Valid) return Verb.Failed;
            var (inputs, outputs) = (string.Join(", ", check.Inputs), string.Join(", ", check.Outputs));
            ResultWriter.Said(parsed.GetValue(CommonOptions.Output), $"valid; reads {inputs}; writes {outputs}",
                new JsonObject { ["valid"] = true, ["inputs"] = inputs, ["outputs"] = outputs });
            return Verb.Done;
        }, QueryCommands.File, QueryCommands.Reference, QueryRunCommand.Model, QueryCommands.Config,
        CommonOptions.Server, CommonOptions.Token, CommonOptions.Data, CommonOptions.Output);

    /// <summary>Not by the environment: a text can be looked at where there is no platform.</summary>
    private static bool IsRemote(ParseResult parsed)
    {
        if (!Has(CommonOptions.Server) && !Has(CommonOptions.Data)) return false;
        var here = new Option[] { QueryCommands.Reference, QueryRunCommand.Model, QueryCommands.Config }
            .FirstOrDefault(Has);
        return here is null
            ? true
            : throw HostErrors.OptionInvalid.With(here.Name, "With --server or --data the platform knows this.")
                .AsException();

        bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };
    }

    private static async Task<QueryCheck> AskAsync(ParseResult parsed, CancellationToken ct)
    {
        using var api = new ApiClient(PlatformTarget.Find(parsed));
        var body = new JsonObject { ["text"] = QueryCommands.Text(parsed.GetValue(QueryCommands.File)!) };
        var answer = await api.PostAsync("api/v1/queries/validate", body, ct);
        return answer.Deserialize<QueryCheck>(JsonSerializerOptions.Web)!;
    }

    private static QueryCheck Compile(ParseResult parsed)
    {
        var models = QueryRunCommand.ModelsOf(parsed);
        var result = QueryCommands.Compile(parsed, parsed.GetValue(QueryCommands.File)!,
            models.Count == 0 ? null : [.. models.Keys]);
        return new QueryCheck(result.Plan is not null, result.Diagnostics, result.Plan?.Inputs ?? [],
            result.Plan?.Outputs ?? []);
    }

    private sealed record QueryCheck(
        bool Valid, IReadOnlyList<SaqlDiagnostic> Diagnostics, IReadOnlyList<string> Inputs,
        IReadOnlyList<string> Outputs);
}
