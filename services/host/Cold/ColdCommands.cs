using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Cold;

/// <summary>millrace cold ...</summary>
internal static class ColdCommands
{
    internal const int CopyBytes = 64 * 1024;

    internal static readonly Option<string[]> Parameters = new("--param")
    {
        Description = "NAME=VALUE; may be repeated",
        HelpName = "NAME=VALUE",
    };

    internal static readonly Option<DateTimeOffset?> At = CommonOptions.Time("--at",
        "Read each table as it was at this time");

    internal static readonly Option<long?> Version = new("--version")
    {
        Description = "Read the one table of the statement as of this version",
        HelpName = "N",
    };

    private static readonly Option<long> Rows = new("--rows")
    {
        Description = "At most so many rows",
        DefaultValueFactory = _ => 1_000,
    };

    private static readonly Option<bool> Parquet = new("--parquet")
    {
        Description = "Write the rows into the object store as Parquet, and print where",
    };

    public static Command Build() => Verb.Group("cold", "SQL and jobs over the archive",
        Sql(), Run(), Jobs(), ColdRunCommands.History(), ColdExportCommand.Build());

    private static Command Sql()
    {
        var sql = new Argument<string>("SQL") { Description = "One SELECT; the view telemetry is the archive" };
        return Verb.Remote("sql", "Run SQL over the archive",
            "millrace cold sql \"SELECT device_id, count(*) AS n FROM telemetry GROUP BY device_id\"",
            (parsed, api, ct) => RowsAsync(parsed, api, "api/v1/cold/sql", SqlBody(parsed, parsed.GetValue(sql)!), ct),
            sql, Parameters, At, Version, Parquet, Rows, CommonOptions.Output);
    }

    private static Command Run()
    {
        var job = new Argument<string>("JOB") { Description = "The job's name, as millrace cold jobs shows it" };
        return Verb.Remote("run", "Run a job for its rows, or, with --from, make its kept results of that time anew",
            "millrace cold run device-hour-statistics --from 2026-11-01 --to 2026-11-08",
            (parsed, api, ct) => parsed.GetValue(ColdRunCommands.From) is null
                ? RowsAsync(parsed, api, $"api/v1/cold/jobs/{Uri.EscapeDataString(parsed.GetValue(job)!)}/run", [], ct)
                : ColdRunCommands.BackFillAsync(parsed, api, parsed.GetValue(job)!, Body(parsed), ct),
            job, Parameters, Parquet, Rows, ColdRunCommands.From, ColdRunCommands.To, ColdRunCommands.Force,
            CommonOptions.Output);
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
                ("part", "part"), ("schedule", "schedule"), ("parameters", "parameters"),
                ("description", "description"));
        }, CommonOptions.Output);

    /// <summary>A statement, with the versions that it is to read.</summary>
    internal static JsonObject SqlBody(ParseResult parsed, string sql)
    {
        var body = new JsonObject { ["sql"] = sql };
        if (parsed.GetValue(At) is { } at) body["at"] = at;
        if (parsed.GetValue(Version) is { } version) body["version"] = version;
        return body;
    }

    private static JsonObject Body(ParseResult parsed)
    {
        var body = new JsonObject();
        if (parsed.GetValue(ColdRunCommands.Force)) body["force"] = true;
        AddParameters(parsed, body);
        return body;
    }

    internal static void AddParameters(ParseResult parsed, JsonObject body)
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

    private static async Task RowsAsync(
        ParseResult parsed, ApiClient api, string path, JsonObject body, CancellationToken ct)
    {
        body["rowsMax"] = parsed.GetValue(Rows);
        AddParameters(parsed, body);
        var output = parsed.GetValue(CommonOptions.Output);
        if (parsed.GetValue(Parquet))
        {
            body["output"] = "parquet";
            ResultWriter.One(output, (await WaitAsync(() => api.PostAsync(path, body, ct)))!.AsObject());
        }
        else if (output == OutputFormat.Table) Print(await WaitAsync(() => api.PostAsync(path, body, ct)));
        else await CopyAsync(api, path, body, output == OutputFormat.Csv, ct);
    }

    internal static Task<T> WaitAsync<T>(Func<Task<T>> work) =>
        WorkBar.RunAsync("Running", TimeProvider.System, bar =>
        {
            bar.Report(new WorkDone(null, "Running"));
            return work();
        });

    /// <summary>Rows as the platform writes them, however many: nothing is held here.</summary>
    private static async Task CopyAsync(ApiClient api, string path, JsonObject body, bool isCsv, CancellationToken ct)
    {
        var rows = (long)body["rowsMax"]!;
        body["rowsMax"] = rows + 1;
        var type = isCsv ? "text/csv" : "application/x-ndjson";
        using var response = await WaitAsync(() => api.OpenAsync(HttpMethod.Post, path, body, type, ct));
        var scan = new RowScan(isCsv ? rows + 1 : rows, isCsv);
        try
        {
            await using var input = await response.Content.ReadAsStreamAsync(ct);
            await using var output = Console.OpenStandardOutput();
            var buffer = new byte[CopyBytes];
            for (int read; !scan.IsCut && (read = await input.ReadAsync(buffer, ct)) > 0;)
                await output.WriteAsync(buffer.AsMemory(0, scan.Take(buffer.AsSpan(0, read))), ct);
        }
        catch (Exception e) when (ApiClient.IsUnreachable(e, ct))
        {
            throw api.Unreachable(e);
        }

        if (scan.IsCut) TellCut(rows);
    }

    private static void Print(JsonNode? answer)
    {
        var names = answer!["columns"]!.AsArray().Select(c => (string)c!["name"]!);
        var rows = answer["rows"]!.AsArray();
        ResultWriter.Table(names, rows.Select(row => row!.AsArray().Select(ResultWriter.Text)));
        if ((bool?)answer["truncated"] == true) TellCut(rows.Count);
    }

    private static void TellCut(long rows) =>
        Console.Error.WriteLine($"Cut after {rows} rows; --rows raises the limit.");
}
