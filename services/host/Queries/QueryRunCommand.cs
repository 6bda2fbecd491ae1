using System.CommandLine;
using Millrace.Client;
using Millrace.Models.Scoring;
using Millrace.Saql;
using Millrace.Saql.Extensions;
using Millrace.Saql.Models;

namespace Millrace.Queries;

/// <summary>millrace query run: a query over files, with no platform.</summary>
internal static class QueryRunCommand
{
    public static readonly Option<string[]> Model = new("--model")
    {
        Description = "NAME=FILE: a model that millrace model export wrote; may be repeated",
    };

    public static Command Build()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "A file with the query's text" };
        var input = new Option<string[]>("--input")
        {
            Description = "NAME=FILE.jsonl: the lines of an input; may be repeated",
            Required = true,
        };
        var reference = new Option<string[]>("--reference")
        {
            Description = "NAME=FILE.json: reference data; may be repeated",
        };
        var late = CommonOptions.Duration("--late", "Late arrival tolerance (else 5s)");
        var outOfOrder = CommonOptions.Duration("--out-of-order", "Out-of-order tolerance (else 0s)");
        var policy = new Option<string>("--policy")
        {
            Description = "adjust or drop",
            DefaultValueFactory = _ => "adjust",
        };
        var onError = new Option<string>("--on-error")
        {
            Description = "stop or drop",
            DefaultValueFactory = _ => "stop",
        };
        var output = new Option<DirectoryInfo>("--output")
        {
            Description = "Folder for OUTPUT.jsonl files",
            Required = true
        };
        policy.AcceptOnlyFromAmong("adjust", "drop");
        onError.AcceptOnlyFromAmong("stop", "drop");
        return Verb.Local("run", "Run a query over JSON-lines files, with no platform",
            "millrace query run averages.saql --input telemetry=day.jsonl --output results",
            async (parsed, ct) =>
            {
                var references = Pairs("--reference", parsed.GetValue(reference) ?? []);
                var extensions = QueryCommands.Extensions(parsed);
                var models = ModelsOf(parsed);
                var plan = Compile(parsed.GetValue(file)!, references.Keys, extensions, [.. models.Keys]);
                if (plan is null) return Verb.Failed;
                var inputs = Pairs("--input", parsed.GetValue(input)!);
                var missing = plan.Inputs.FirstOrDefault(name => !inputs.ContainsKey(name))
                    ?? plan.References.FirstOrDefault(name => !references.ContainsKey(name));
                if (missing is not null) throw HostErrors.InputMissing.With(missing).AsException();
                var options = new QueryEngineOptions("run", 1)
                {
                    LateTolerance = parsed.GetValue(late) ?? TimeSpan.FromSeconds(5),
                    OutOfOrderTolerance = parsed.GetValue(outOfOrder) ?? TimeSpan.Zero,
                    DropOutOfOrder = parsed.GetValue(policy) == "drop",
                };
                return await ExecuteAsync(new FileRun(plan, extensions, options, inputs, references,
                    models.ToDictionary(one => one.Key.Name, one => one.Value),
                    parsed.GetValue(output)!.FullName, parsed.GetValue(onError) == "stop"), ct);
            }, file, input, reference, Model, late, outOfOrder, policy, onError, output,
            QueryCommands.Config);
    }

    private static async Task<int> ExecuteAsync(FileRun run, CancellationToken ct)
    {
        var counts = await run.ExecuteAsync(ct);
        foreach (var (name, left) in counts.LeftOut.Where(one => one.Value.Count > 0))
        {
            Console.Error.WriteLine(
                $"{left.Count} entries of {name} are left out, which no row can meet: {left.First}");
        }

        Console.Error.WriteLine(
            $"{counts.Lines} lines in, {counts.Rows} rows out, {counts.Failed} failed, {counts.Dropped} dropped");
        return Verb.Done;
    }

    private static QueryPlan? Compile(
        FileInfo file, IReadOnlyCollection<string> references, QueryExtensions extensions,
        IReadOnlyCollection<QueryModel> models)
    {
        var hub = CompileOptions.Hub(extensions);
        var result = SaqlCompiler.Compile(QueryCommands.Text(file), hub with
        {
            References = [.. hub.References!, .. references],
            KnownModels = models,
        });
        QueryCommands.Tell(result.Diagnostics);
        return result.Plan;
    }

    /// <summary>By the name that the command line gives.</summary>
    public static Dictionary<QueryModel, IModelScorer> ModelsOf(ParseResult parsed) =>
        Pairs("--model", parsed.GetValue(Model) ?? []).Select(file => (file.Key, Read: ModelFile.Read(file.Value)))
            .ToDictionary(one => one.Read.Model with { Name = one.Key }, one => one.Read.Scorer);

    private static Dictionary<string, string> Pairs(string option, IEnumerable<string> pairs)
    {
        var files = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var pair in pairs)
        {
            var equals = pair.IndexOf('=');
            if (equals <= 0) throw HostErrors.OptionInvalid.With(pair, $"{option} takes NAME=FILE.").AsException();
            if (!File.Exists(pair[(equals + 1)..])) throw HostErrors.FileUnreadable.With(pair[(equals +
                1)..]).AsException();
            files[pair[..equals]] = pair[(equals + 1)..];
        }

        return files;
    }
}
