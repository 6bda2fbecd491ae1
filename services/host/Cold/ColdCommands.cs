using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Output;
using Spectre.Console;

namespace Millrace.Cold;

/// <summary>millrace cold ...</summary>
internal static class ColdCommands
{
    private static readonly Option<string[]> Parameters = new("--param")
    {
        Description = "NAME=VALUE; may be repeated",
        HelpName = "NAME=VALUE",
    };

    private static readonly Option<long> Rows = new("--rows")
    {
        Description = "At most so many rows",
        DefaultValueFactory = _ => 1_000,
    };

    public static Command Build() => Verb.Group("cold", "SQL and jobs over the archive", Sql(), Run(), Jobs());

    private static Command Sql()
    {
        var sql = new Argument<string>("SQL") { Description = "One SELECT; the view telemetry is the archive" };
        return Verb.Remote("sql", "Run SQL over the archive",
            "millrace cold sql \"SELECT device_id, count(*) AS n FROM telemetry GROUP BY device_id\"",
            async (parsed, api, ct) =>
            {
                var body = new JsonObject { ["sql"] = parsed.GetValue(sql), ["rowsMax"] = parsed.GetValue(Rows) };
                AddParameters(parsed, body);
                Print(parsed, await WaitAsync(parsed, () => api.PostAsync("api/v1/cold/sql", body, ct)));
            }, sql, Parameters, Rows, CommonOptions.Output);
    }

    private static Command Run()
    {
        var job = new Argument<string>("JOB") { Description = "The job's name" };
        var parquet = new Option<bool>("--parquet") { Description = "Write the rows back into the object store" };
        return Verb.Remote("run", "Run a job", "millrace cold run device-hour-statistics --param columns=temperature",
            async (parsed, api, ct) =>
            {
                var body = new JsonObject
                {
                    ["output"] = parsed.GetValue(parquet) ? "parquet" : "rows",
                    ["rowsMax"] = parsed.GetValue(Rows),
                };
                AddParameters(parsed, body);
                var path = $"api/v1/cold/jobs/{Uri.EscapeDataString(parsed.GetValue(job)!)}/run";
                var answer = await WaitAsync(parsed, () => api.PostAsync(path, body, ct));
                if (parsed.GetValue(parquet))
                    ResultWriter.One(parsed.GetValue(CommonOptions.Output), answer!.AsObject());
                else Print(parsed, answer);
            }, job, Parameters, parquet, Rows, CommonOptions.Output);
    }

    private static Command Jobs() => Verb.Remote("jobs", "The jobs that there are", "millrace cold jobs",
        async (parsed, api, ct) =>
        {
            var answer = await api.GetAsync("api/v1/cold/jobs", ct);
            var items = answer!["items"]!.AsArray().Select(i => i!.AsObject()).ToList();
            if (parsed.GetValue(CommonOptions.Output) != OutputFormat.Json)
            {
                foreach (var item in items)
                    item["parameters"] = string.Join(' ', item["parameters"]!.AsArray().Select(p =>
                        (string)p!["name"]!));
            }

            ResultWriter.List(parsed.GetValue(CommonOptions.Output), items, ("name", "name"),
                ("parameters", "parameters"), ("description", "description"));
        }, CommonOptions.Output);

    private static void AddParameters(ParseResult parsed, JsonObject body)
    {
        var parameters = new JsonObject();
        foreach (var pair in parsed.GetValue(Parameters) ?? [])
        {
            var equals = pair.IndexOf('=');
            if (equals <= 0) throw HostErrors.OptionInvalid.With(pair, "--param takes NAME=VALUE.").AsException();
            parameters[pair[..equals]] = pair[(equals + 1)..];
        }

        if (parameters.Count > 0) body["parameters"] = parameters;
    }

    private static async Task<JsonNode?> WaitAsync(ParseResult parsed, Func<Task<JsonNode?>> work) =>
        Verb.Interactive && parsed.GetValue(CommonOptions.Output) == OutputFormat.Table
            ? await AnsiConsole.Status().StartAsync("Running", _ => work())
            : await work();

    private static void Print(ParseResult parsed, JsonNode? answer)
    {
        var names = answer!["columns"]!.AsArray().Select(c => (string)c!["name"]!).ToList();
        var rows = answer["rows"]!.AsArray();
        switch (parsed.GetValue(CommonOptions.Output))
        {
            case OutputFormat.Json:
                var items = rows.Select(row => new JsonObject(
                    names.Select((name, i) => KeyValuePair.Create(name, row![i]?.DeepClone()))));
                foreach (var item in items) Console.WriteLine(item.ToJsonString());
                break;
            case OutputFormat.Csv:
                ResultWriter.Csv(names, rows.Select(row => row!.AsArray().Select(ResultWriter.Text)));
                break;
            case OutputFormat.Table:
            default:
                ResultWriter.Table(names, rows.Select(row => row!.AsArray().Select(ResultWriter.Text)));
                break;
        }

        if ((bool?)answer["truncated"] == true)
            Console.Error.WriteLine($"Cut after {rows.Count} rows; --rows raises the limit.");
    }
}
