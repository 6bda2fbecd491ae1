using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Cold;

/// <summary>millrace cold run JOB --from --to, and millrace cold history.</summary>
internal static class ColdRunCommands
{
    public static readonly Option<DateTimeOffset?> From = CommonOptions.Time("--from",
        "Make the job's kept results anew from this time on");

    public static readonly Option<DateTimeOffset?> To = CommonOptions.Time("--to",
        "With --from: up to this time (else until now)");

    public static readonly Option<bool> Force = new("--force")
    {
        Description = "With --from: also parts whose telemetry went for its age, of what is left of it",
    };

    /// <summary>No request takes longer, whatever the run does.</summary>
    private const int WaitSeconds = 20;

    private static readonly Option<int> Limit = new("--limit")
    {
        Description = "At most so many runs",
        DefaultValueFactory = _ => 20,
    };

    public static Command History()
    {
        var job = new Argument<string>("JOB") { Description = "The job's name, as millrace cold jobs shows it" };
        return Verb.Remote("history", "What became of a job's runs, the newest first",
            "millrace cold history device-hour-statistics", async (parsed, api, ct) =>
            {
                var answer = await api.GetAsync(
                    $"{Path(parsed.GetValue(job)!)}/history?limit={parsed.GetValue(Limit)}", ct);
                ResultWriter.List(parsed.GetValue(CommonOptions.Output),
                    [.. answer!["items"]!.AsArray().Select(item => item!.AsObject())],
                    ("part", "part"), ("state", "state"), ("attempt", "attempt"), ("trigger", "trigger"),
                    ("started", "startedAt"), ("ended", "endedAt"), ("rows", "rows"), ("error", "error"));
            }, job, Limit, CommonOptions.Output);
    }

    /// <summary>Part by part, oldest first; ends at the first that fails, and can be started again there.</summary>
    public static async Task BackFillAsync(
        ParseResult parsed, ApiClient api, string job, JsonObject body, CancellationToken ct)
    {
        var from = parsed.GetValue(From)!.Value;
        var to = parsed.GetValue(To) ?? TimeProvider.System.GetUtcNow();
        var list = await api.GetAsync($"{Path(job)}/parts?from={Text(from)}&to={Text(to)}", ct);
        var parts = list!["parts"]!.AsArray().Select(part => (string)part!).ToList();
        var runs = await WorkBar.RunAsync(job, TimeProvider.System, async bar =>
        {
            var done = new List<JsonObject>();
            foreach (var part in parts)
            {
                bar.Report(new WorkDone((double)done.Count / parts.Count, $"{job} {part}"));
                var path = $"{Path(job)}/parts/{part}/run?wait={WaitSeconds}";
                var run = await api.PostAsync(path, body.DeepClone(), ct);
                while ((string?)run!["state"] == "running") run = await api.GetAsync(path, ct);
                done.Add(run.AsObject());
            }

            return done;
        });
        ResultWriter.List(parsed.GetValue(CommonOptions.Output), runs,
            ("part", "part"), ("rows", "rows"), ("bytes", "bytes"), ("attempt", "attempt"));
    }

    private static string Path(string job) => $"api/v1/cold/jobs/{Uri.EscapeDataString(job)}";

    private static string Text(DateTimeOffset time) => Uri.EscapeDataString(time.ToString("O"));
}
