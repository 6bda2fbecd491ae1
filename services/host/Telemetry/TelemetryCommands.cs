using System.CommandLine;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Telemetry;

/// <summary>millrace telemetry ...</summary>
internal static class TelemetryCommands
{
    private static readonly (string, string)[] Columns =
        [("event at", "eventAt"), ("device", "deviceId"), ("partition", "partition"), ("offset", "offset"),
         ("properties", "properties"), ("body", "body|bodyBase64")];

    private static readonly (string Header, string Path)[] TailColumns =
        [("event at", "eventAt"), ("device", "deviceId"), ("properties", "properties"), ("body", "body|bodyBase64")];

    public static Command Build() =>
        Verb.Group("telemetry", "What devices sent: recent rows, or live", Show(), Tail());

    private static Command Show()
    {
        var id = new Argument<string[]>("DEVICE")
        {
            Description = "The device's id; or several",
            Arity = ArgumentArity.OneOrMore,
        };
        var from = CommonOptions.Time("--from", "Not before this time");
        var to = CommonOptions.Time("--to", "Before this time");
        var limit = new Option<int>("--limit")
        {
            Description = "At most so many rows of each",
            DefaultValueFactory = _ => 20,
        };
        var latest = new Option<bool>("--latest") { Description = "Only the latest value of each" };
        return Verb.Remote("show", "Recent telemetry of devices, newest first",
            "millrace telemetry show my-device --limit 5",
            async (parsed, api, ct) =>
            {
                var (ids, output) = (parsed.GetValue(id)!, parsed.GetValue(CommonOptions.Output));
                var path = $"api/v1/devices/{Uri.EscapeDataString(ids[0])}";
                var range = Time("from", parsed.GetValue(from)) + Time("to", parsed.GetValue(to));
                if (ids.Length > 1)
                    ResultWriter.List(output, await OfManyAsync(parsed.GetValue(latest)), Columns);
                else if (parsed.GetValue(latest))
                    ResultWriter.One(output, (await api.GetAsync($"{path}/latest", ct))!.AsObject());
                else
                {
                    var rows = await api.ListAsync($"{path}/telemetry?{range}", parsed.GetValue(limit), ct);
                    ResultWriter.List(output, rows, Columns);
                }

                async Task<List<JsonObject>> OfManyAsync(bool onlyLatest)
                {
                    var devices = string.Concat(ids.Select(one => $"device={Uri.EscapeDataString(one)}&"));
                    if (onlyLatest) return Items((await api.GetAsync($"api/v1/latest?{devices}", ct))!);
                    var pages = await api.GetAsync(
                        $"api/v1/telemetry?{devices}{range}limit={parsed.GetValue(limit)}", ct);
                    return [.. Items(pages!).SelectMany(Items)];
                }
            }, id, from, to, limit, latest, CommonOptions.Output);
    }

    private static List<JsonObject> Items(JsonNode answer) =>
        [.. answer["items"]!.AsArray().Select(item => item!.AsObject())];

    private static Command Tail()
    {
        var device = new Option<string?>("--device") { Description = "Only this device", HelpName = "ID" };
        var count = new Option<int>("--count") { Description = "End after so many (0: never)", HelpName = "N" };
        return Verb.Remote("tail", "Telemetry as it comes in, a line each; with --output json one object a line",
            "millrace telemetry tail --device my-device",
            async (parsed, api, ct) =>
            {
                var query = parsed.GetValue(device) is { } d ? $"?device={Uri.EscapeDataString(d)}" : "";
                using var response = await api.OpenAsync(HttpMethod.Get, $"api/v1/tail{query}", null,
                    "text/event-stream", ct);
                try
                {
                    await PrintAsync(response, parsed.GetValue(CommonOptions.Output), parsed.GetValue(count), ct);
                }
                catch (Exception e) when (ApiClient.IsUnreachable(e, ct))
                {
                    throw api.Unreachable(e);
                }
            }, device, count, CommonOptions.Output);
    }

    /// <summary>Ends after so many; an IOException when the platform ended first.</summary>
    private static async Task PrintAsync(
        HttpResponseMessage response, OutputFormat format, int count, CancellationToken ct)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        if (format == OutputFormat.Csv) ResultWriter.Csv(TailColumns.Select(c => c.Header), []);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(ct))
        {
            if (item.EventType != "telemetry") continue;
            ResultWriter.Line(format, JsonNode.Parse(item.Data)!.AsObject(), TailColumns);
            if (--count == 0) return;
        }

        throw new IOException("The platform ended the tail.");
    }

    private static string Time(string name, DateTimeOffset? time) =>
        time is { } t ? $"{name}={Uri.EscapeDataString(t.ToString("O"))}&" : "";
}
