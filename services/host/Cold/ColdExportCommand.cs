using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;

namespace Millrace.Cold;

/// <summary>millrace cold export: rows of SQL, or the results of a job, as a file.</summary>
internal static class ColdExportCommand
{
    private const string ParquetEnd = ".parquet";

    private static readonly Option<string> File = new("--file")
    {
        Description = "Where the rows go; its end says how: .parquet, .csv or .jsonl",
        HelpName = "PATH",
        Required = true,
    };

    public static Command Build()
    {
        var what = new Argument<string>("WHAT") { Description = "One SELECT, or a job's name for its kept results" };
        return Verb.Remote("export", "Write rows of the archive or of a job's results into a file",
            "millrace cold export device-hour-statistics --file statistics.parquet", async (parsed, api, ct) =>
            {
                var body = ColdCommands.SqlBody(parsed, Sql(parsed.GetValue(what)!));
                ColdCommands.AddParameters(parsed, body);
                var file = parsed.GetValue(File)!;
                var bytes = file.EndsWith(ParquetEnd, StringComparison.OrdinalIgnoreCase)
                    ? await ParquetAsync(api, body, file, ct)
                    : await TextAsync(api, body, file, ct);
                Console.WriteLine($"{file}: {bytes} bytes");
            }, what, File, ColdCommands.Parameters, ColdCommands.At, ColdCommands.Version);
    }

    private static string Sql(string what) => what.Any(char.IsWhiteSpace)
        ? what
        : $"SELECT * FROM job_{what.Replace('-', '_')}";

    private static async Task<long> TextAsync(ApiClient api, JsonObject body, string file, CancellationToken ct)
    {
        var type = Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".csv" => "text/csv",
            ".jsonl" => "application/x-ndjson",
            _ => throw HostErrors.OptionInvalid.With(file, "--file ends with .parquet, .csv or .jsonl.").AsException(),
        };
        body["rowsMax"] = long.MaxValue;
        using var response = await ColdCommands.WaitAsync(() =>
            api.OpenAsync(HttpMethod.Post, "api/v1/cold/sql", body, type, ct));
        return await CopyAsync(api, response, file, ct);
    }

    /// <summary>The platform keeps the rows as objects; each becomes a file.</summary>
    private static async Task<long> ParquetAsync(ApiClient api, JsonObject body, string file, CancellationToken ct)
    {
        body["output"] = "parquet";
        var written = await ColdCommands.WaitAsync(() => api.PostAsync("api/v1/cold/sql", body, ct));
        var keys = written!["keys"]!.AsArray().Select(key => (string)key!).ToList();
        var bytes = 0L;
        foreach (var (key, number) in keys.Select((key, i) => (key, i)))
        {
            // An engine with many workers writes many; the first has the name that was asked for.
            var path = number == 0 ? file : $"{file[..^ParquetEnd.Length]}-{number}{ParquetEnd}";
            using var response = await api.OpenAsync(
                HttpMethod.Get, $"api/v1/cold/objects/{key}", null, "application/vnd.apache.parquet", ct);
            bytes += await CopyAsync(api, response, path, ct);
        }

        return bytes;
    }

    private static async Task<long> CopyAsync(
        ApiClient api, HttpResponseMessage response, string file, CancellationToken ct)
    {
        try
        {
            await using var output = System.IO.File.Create(file);
            await response.Content.CopyToAsync(output, ct);
            return output.Length;
        }
        catch (Exception e) when (ApiClient.IsUnreachable(e, ct))
        {
            throw api.Unreachable(e);
        }
    }
}
