using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Archiver;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Archive;

/// <summary>millrace archive ...</summary>
internal static class ArchiveCommands
{
    private const string Path = "api/v1/archive";

    /// <summary>No request takes longer, whatever the work does.</summary>
    private const int WaitSeconds = 20;

    internal static readonly Option<string?> Table = new("--table")
    {
        Description = "telemetry, or the name of a query's output",
        HelpName = "NAME",
    };

    public static Command Build() => Verb.Group("archive", "The archive's table: what is in it, and its upkeep",
        Show(), History(), Compact(), Vacuum(), Erase(), Proof(), VerifyCommand.Build());

    private static Command Show() => Verb.Remote("show", "Files, rows and how far the archive is",
        "millrace archive show", async (parsed, api, ct) =>
        {
            var info = (await api.GetAsync(Path, ct))!.AsObject();
            if (parsed.GetValue(CommonOptions.Output) != OutputFormat.Json)
            {
                var partitions = info["partitions"]!.AsArray().Select(p => p!.AsObject()).ToList();
                var outputs = info["outputs"]!.AsArray().Select(o => o!.AsObject()).ToList();
                info.Remove("partitions");
                info.Remove("outputs");
                ResultWriter.One(parsed.GetValue(CommonOptions.Output), info);
                ResultWriter.List(parsed.GetValue(CommonOptions.Output), partitions, ("partition", "partition"),
                    ("log first", "logFirst"), ("log next", "logNext"), ("archived", "archived"));
                if (outputs.Count == 0) return;
                ResultWriter.List(parsed.GetValue(CommonOptions.Output), outputs, ("output", "name"),
                    ("version", "version"), ("files", "files"), ("rows", "rows"), ("bytes", "bytes"),
                    ("retained from", "retainedFrom"));
            }
            else ResultWriter.One(OutputFormat.Json, info);
        }, CommonOptions.Output);

    private static Command History()
    {
        var limit = new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 20 };
        return Verb.Remote("history", "What was done to a table, newest first (telemetry's when none is named)",
            "millrace archive history --limit 50", async (parsed, api, ct) =>
            {
                var table = parsed.GetValue(Table) is { } name ? $"&table={Uri.EscapeDataString(name)}" : "";
                var answer = await api.GetAsync($"{Path}/history?limit={parsed.GetValue(limit)}{table}", ct);
                ResultWriter.List(parsed.GetValue(CommonOptions.Output),
                    [.. answer!["items"]!.AsArray().Select(item => item!.AsObject())], ("version", "version"),
                    ("at", "at"), ("operation", "operation"), ("files +", "filesAdded"), ("files -", "filesRemoved"),
                    ("rows +", "rowsAdded"), ("details", "details"));
            }, limit, Table, CommonOptions.Output);
    }

    private static Command Compact()
    {
        var all = new Option<bool>("--all") { Description = "Also hours that would be left until they are quiet" };
        return Verb.Remote("compact", "Merge small files into larger ones, sorted by device",
            "millrace archive compact --all", async (parsed, api, ct) =>
            {
                var (before, after, rows) = (0L, 0L, 0L);
                await WorkBar.RunAsync("Merging", TimeProvider.System, async bar =>
                {
                    var body = new JsonObject { ["all"] = parsed.GetValue(all) };
                    for (long hours = 0; await api.PostAsync($"{Path}/compact", body, ct) is { } round
                        && (bool)round["done"]!; hours++)
                    {
                        before += (long)round["filesBefore"]!;
                        after += (long)round["filesAfter"]!;
                        rows += (long)round["rows"]!;
                        var left = (long)round["left"]!;
                        bar.Report(new WorkDone((double)hours / (hours + left + 1), $"Merged {before} files"));
                    }

                    return true;
                });
                ResultWriter.One(parsed.GetValue(CommonOptions.Output),
                    new JsonObject { ["filesBefore"] = before, ["filesAfter"] = after, ["rows"] = rows });
            }, all, CommonOptions.Output);
    }

    private static Command Vacuum()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only tell what would be deleted" };
        return Verb.Remote("vacuum", "Delete files that are no part of the table any more", "millrace archive vacuum",
            async (parsed, api, ct) => ResultWriter.One(parsed.GetValue(CommonOptions.Output),
                (await api.PostAsync($"{Path}/vacuum", new JsonObject { ["dryRun"] = parsed.GetValue(dryRun) }, ct))!
                .AsObject()), dryRun, CommonOptions.Output);
    }

    private static Command Erase()
    {
        var device = Device();
        return Verb.Remote("erase", "Take all rows of a device out of the archive", "millrace archive erase pump-1",
            async (parsed, api, ct) => ResultWriter.One(parsed.GetValue(CommonOptions.Output),
                (await WorkBar.RunAsync("Erasing", TimeProvider.System, bar =>
                {
                    bar.Report(new WorkDone(null, "Erasing"));
                    var (id, operation) = (parsed.GetValue(device), Guid.NewGuid().ToString("N"));
                    return AnsweredAsync(() => api.PostAsync($"{Path}/erase", new JsonObject
                    {
                        ["deviceId"] = id,
                        ["operation"] = operation,
                        ["wait"] = WaitSeconds,
                    }, ct));
                })).AsObject()), device, CommonOptions.Output);
    }

    private static Command Proof()
    {
        var device = Device();
        return Verb.Remote("proof", "Look whether an erased device's rows are gone, and print what was found",
            "millrace archive proof pump-1 --output json", async (parsed, api, ct) =>
            {
                var id = Uri.EscapeDataString(parsed.GetValue(device)!);
                var path = $"{Path}/erasures/{id}?operation={Guid.NewGuid():N}&wait={WaitSeconds}";
                var proof = await WorkBar.RunAsync("Looking", TimeProvider.System, async bar =>
                {
                    bar.Report(new WorkDone(null, "Looking"));
                    return (await AnsweredAsync(() => api.GetAsync(path, ct))).AsObject();
                });
                ResultWriter.One(parsed.GetValue(CommonOptions.Output), proof);
                var unproven = proof["unproven"]!.AsArray().Select(sentence => (string)sentence!).ToList();
                if (unproven.Count == 0) return;
                throw ArchiverErrors.ErasureUnproven
                    .With(parsed.GetValue(device)!, string.Join(' ', unproven)).AsException();
            }, device, CommonOptions.Output);
    }

    /// <summary>Asks until the operation does not go on any more.</summary>
    private static async Task<JsonNode> AnsweredAsync(Func<Task<JsonNode?>> ask)
    {
        while (true)
        {
            var answer = (await ask())!;
            if ((string?)answer["state"] != "running") return answer;
        }
    }

    private static Argument<string> Device() => new("ID") { Description = "The device's id" };
}
