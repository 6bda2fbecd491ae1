using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Contracts;
using Millrace.Output;

namespace Millrace.DeadLetters;

/// <summary>millrace deadletter ...</summary>
internal static class DeadLetterCommands
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);

    public static Command Build() => Verb.Group("deadletter", "Records that a stage gave up", List(), Replay());

    private static Command List()
    {
        var stage = new Option<string?>("--stage") { Description = "Only of this stage" };
        var state = new Option<string?>("--state") { Description = "Only in this state" };
        stage.AcceptOnlyFromAmong([.. DeadLetterStages.All]);
        state.AcceptOnlyFromAmong("open", "replaying", "replayed");
        var limit = new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 20 };
        return Verb.Remote("list", "Dead letters, newest failure first", "millrace deadletter list --stage query",
            async (parsed, api, ct) =>
            {
                var filter = (parsed.GetValue(stage) is { } s ? $"stage={s}&" : "") +
                    (parsed.GetValue(state) is { } t ? $"state={t}&" : "");
                var items = await api.ListAsync($"api/v1/dead-letters?{filter.TrimEnd('&')}", parsed.GetValue(limit),
                    ct);
                ResultWriter.List(parsed.GetValue(CommonOptions.Output), items, ("id", "id"), ("state", "state"),
                    ("device", "key"), ("failed at", "lastFailedAt"), ("code", "errorCode"), ("reason", "reason"));
            }, stage, state, limit, CommonOptions.Output);
    }

    private static Command Replay()
    {
        var id = new Argument<string>("ID") { Description = "The dead letter's id, as the list shows it" };
        return Verb.Remote("replay", "Have the stage that failed try the record again, and wait for its answer",
            "millrace deadletter replay archiver~telemetry~1~42~-1",
            async (parsed, api, ct) =>
            {
                var path = $"api/v1/dead-letters/{Uri.EscapeDataString(parsed.GetValue(id)!)}";
                await api.PostAsync($"{path}/replay", null, ct);
                var letter = await AnsweredAsync(api, path, ct);
                var state = (string?)letter["state"];
                if (state == "open")
                {
                    throw HostErrors.ReplayRefused.With(parsed.GetValue(id),
                        $"{(string?)letter["errorCode"]} {(string?)letter["reason"]}").AsException();
                }

                ResultWriter.One(parsed.GetValue(CommonOptions.Output),
                    new JsonObject { ["id"] = parsed.GetValue(id), ["state"] = state });
            }, id, CommonOptions.Output);
    }

    /// <summary>The letter once its stage answered, or as it is when that takes long.</summary>
    private static async Task<JsonObject> AnsweredAsync(ApiClient api, string path, CancellationToken ct)
    {
        var time = TimeProvider.System;
        for (var asked = time.GetTimestamp(); ; await Task.Delay(LookInterval, time, ct))
        {
            var letter = (await api.GetAsync(path, ct))!.AsObject();
            if ((string?)letter["state"] != "replaying" || time.GetElapsedTime(asked) > AnswerLimit) return letter;
        }
    }
}
