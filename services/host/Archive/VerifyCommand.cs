using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Archive;

/// <summary>
/// millrace archive verify: 0 when the archive is what the log says, less what was retired, erased or dead-lettered.
/// </summary>
internal static class VerifyCommand
{
    private static readonly string[] Wrongs = ["missing", "doubled", "different", "unknown", "notErased"];

    private static readonly Option<int?> Partition = new("--partition")
    {
        Description = "Only this partition of the log",
        HelpName = "N",
    };

    private static readonly Option<long> From = new("--from-offset") { Description = "From this offset on" };

    public static Command Build() => Verb.Remote("verify", "Compare the archive with the log, offset by offset",
        "millrace archive verify", async (parsed, api, ct) =>
        {
            var stretches = await WorkBar.RunAsync("Comparing", TimeProvider.System,
                bar => CompareAsync(parsed, api, bar, ct));
            ResultWriter.List(parsed.GetValue(CommonOptions.Output), stretches,
                ("partition", "partition"), ("from", "from"), ("to", "to"), ("log", "logRecords"),
                ("archive", "archiveRows"), ("dead letters", "deadLettered"), ("retired", "retired"),
                ("erased", "erased"), ("missing", "missing"), ("doubled", "doubled"), ("different", "different"),
                ("unknown", "unknown"), ("not erased", "notErased"), ("log sum", "logChecksum"),
                ("archive sum", "archiveChecksum"));
            var wrong = stretches.Sum(stretch => Wrongs.Sum(name => (long)stretch[name]!));
            if (wrong == 0) return;
            var examples = stretches.SelectMany(stretch => stretch["examples"]!.AsArray()
                .Select(example => $"{stretch["partition"]}/{example}")).Take(20);
            throw HostErrors.ArchiveDiffers.With(wrong, string.Join(", ", examples) + ".").AsException();
        }, Partition, From, CommonOptions.Output);

    private static async Task<List<JsonObject>> CompareAsync(
        ParseResult parsed, ApiClient api, IProgress<WorkDone> bar, CancellationToken ct)
    {
        var stretches = new List<JsonObject>();
        var only = parsed.GetValue(Partition);
        var partitions = (await api.GetAsync("api/v1/archive", ct))!["partitions"]!.AsArray()
            .Where(p => only is null || (int)p!["partition"]! == only)
            .Select(p => (Number: (int)p!["partition"]!, First: (long)p["logFirst"]!, End: (long)p["archived"]!))
            .ToList();
        var all = Math.Max(1, partitions.Sum(p => Math.Max(0, p.End - p.First)));
        var done = 0L;
        foreach (var (number, first, end) in partitions)
        {
            // What is archived from now on is for the next time.
            for (var next = Math.Max(first, parsed.GetValue(From)); next < end;)
            {
                var body = new JsonObject { ["partition"] = number, ["from"] = next };
                var stretch = (await api.PostAsync("api/v1/archive/verify", body, ct))!.AsObject();
                if ((long)stretch["to"]! <= next) break;
                stretches.Add(stretch);
                done += (long)stretch["to"]! - next;
                next = (long)stretch["to"]!;
                bar.Report(new WorkDone((double)done / all, $"Compared {done} records"));
            }
        }

        return stretches;
    }
}
