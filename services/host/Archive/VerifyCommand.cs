using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Archive;

/// <summary>
/// millrace archive verify: 0 when each table of the archive is what the log says, less what was retired, erased,
/// dead-lettered or written by a stale owner.
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
                ("table", "table"), ("partition", "partition"), ("from", "from"), ("to", "to"), ("log", "logRecords"),
                ("archive", "archiveRows"), ("dead letters", "deadLettered"), ("retired", "retired"),
                ("erased", "erased"), ("fenced", "fenced"), ("undecided", "undecided"),
                ("trimmed", "trimmed"), ("unaccounted", "unaccounted"), ("missing", "missing"), ("doubled", "doubled"),
                ("different", "different"), ("unknown", "unknown"), ("not erased", "notErased"),
                ("log sum", "logChecksum"), ("archive sum", "archiveChecksum"));
            TellUnchecked(stretches);
            var wrong = stretches.Sum(stretch => Wrongs.Sum(name => (long)stretch[name]!));
            if (wrong == 0) return;
            var examples = stretches.SelectMany(stretch => stretch["examples"]!.AsArray()
                .Select(example => $"{stretch["table"]}/{stretch["partition"]}/{example}")).Take(20);
            throw HostErrors.ArchiveDiffers.With(wrong, string.Join(", ", examples) + ".").AsException();
        }, ArchiveCommands.Table, Partition, From, CommonOptions.Output);

    /// <summary>What nobody can check any more is no difference, and no proof either.</summary>
    private static void TellUnchecked(List<JsonObject> stretches)
    {
        var undecided = stretches.Sum(stretch => (long)stretch["undecided"]!);
        var trimmed = stretches.Sum(stretch => (long)stretch["trimmed"]!);
        if (trimmed > 0)
        {
            var unaccounted = stretches.Sum(stretch => (long)stretch["unaccounted"]!);
            Console.Error.WriteLine($"Not compared: {trimmed} offsets that the log has no more. {unaccounted} of them "
                + "have no row, and the table does not tell whether they should.");
        }

        if (undecided > 0)
        {
            Console.Error.WriteLine($"Not decided: {undecided} records whose owner may have been stale; the log has "
                + "no more what would tell.");
        }
    }

    private static async Task<List<JsonObject>> CompareAsync(
        ParseResult parsed, ApiClient api, IProgress<WorkDone> bar, CancellationToken ct)
    {
        var stretches = new List<JsonObject>();
        var partitions = PartitionsOf((await api.GetAsync("api/v1/archive", ct))!, parsed);
        var from = parsed.GetValue(From);
        var all = Math.Max(1, partitions.Sum(p => Math.Max(0, p.End - from)));
        var done = 0L;
        foreach (var (table, number, end) in partitions)
        {
            // What is archived from now on is for the next time.
            for (var next = from; next < end;)
            {
                var body = new JsonObject { ["table"] = table, ["partition"] = number, ["from"] = next };
                var stretch = (await api.PostAsync("api/v1/archive/verify", body, ct))!.AsObject();
                if ((long)stretch["to"]! <= next) break;
                stretches.Add(stretch);
                done += (long)stretch["to"]! - (long)stretch["from"]!;
                next = (long)stretch["to"]!;
                bar.Report(new WorkDone((double)done / all, $"Compared {done} offsets"));
            }
        }

        return stretches;
    }

    private static List<(string Table, int Number, long End)> PartitionsOf(JsonNode archive, ParseResult parsed)
    {
        var (table, partition) = (parsed.GetValue(ArchiveCommands.Table), parsed.GetValue(Partition));
        var outputs = archive["outputs"]!.AsArray().Select(o => ((string)o!["name"]!, o["partitions"]!.AsArray()));
        return [.. outputs.Prepend(("telemetry", archive["partitions"]!.AsArray()))
            .Where(one => table is null || one.Item1.Equals(table, StringComparison.OrdinalIgnoreCase))
            .SelectMany(one => one.Item2.Select(p => (one.Item1, (int)p!["partition"]!, (long)p["archived"]!)))
            .Where(p => partition is null || p.Item2 == partition)];
    }
}
