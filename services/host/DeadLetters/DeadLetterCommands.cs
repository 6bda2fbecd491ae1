using System.CommandLine;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.DeadLetters;

/// <summary>millrace deadletter ...</summary>
internal static class DeadLetterCommands
{
    public static Command Build() => Verb.Group("deadletter", "Records that a stage gave up", List(), Replay());

    private static Command List()
    {
        var stage = new Option<string?>("--stage") { Description = "gateway, warm-writer, archiver or query" };
        var state = new Option<string?>("--state") { Description = "open, replaying or replayed" };
        var limit = new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 20 };
        return Verb.Remote("list", "Dead letters, newest failure first", "millrace deadletter list --stage query",
            async (parsed, api, ct) =>
            {
                var filter = (parsed.GetValue(stage) is { } s ? $"stage={s}&" : "") +
                    (parsed.GetValue(state) is { } t ? $"state={t}&" : "");
                var items = await api.ListAsync($"api/v1/dead-letters?{filter.TrimEnd('&')}", parsed.GetValue(limit),
                    ct);
                ResultWriter.List(parsed.GetValue(CommonOptions.Output), items, ("id", "id"), ("state", "state"),
                    ("failed at", "lastFailedAt"), ("code", "errorCode"), ("reason", "reason"));
            }, stage, state, limit, CommonOptions.Output);
    }

    private static Command Replay()
    {
        var id = new Argument<string>("ID") { Description = "The dead letter's id, as the list shows it" };
        return Verb.Remote("replay", "Have the stage that failed try the record again",
            "millrace deadletter replay archiver~telemetry~1~42~-1",
            async (parsed, api, ct) =>
            {
                var letter = await api.PostAsync(
                    $"api/v1/dead-letters/{Uri.EscapeDataString(parsed.GetValue(id)!)}/replay", null, ct);
                Console.WriteLine($"{(string?)letter!["id"]}: {(string?)letter["state"]}");
            }, id);
    }
}
