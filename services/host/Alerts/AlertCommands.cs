using System.CommandLine;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Alerts;

/// <summary>millrace alert ...</summary>
internal static class AlertCommands
{
    public static Command Build()
    {
        var device = new Option<string?>("--device") { Description = "Only of this device" };
        var query = new Option<string?>("--query") { Description = "Only of this query" };
        var severity = new Option<string?>("--severity") { Description = "At least: info, warning or critical" };
        severity.AcceptOnlyFromAmong("info", "warning", "critical");
        var limit = new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 20 };
        var list = Verb.Remote("list", "Alerts, newest first", "millrace alert list --severity critical",
            async (parsed, api, ct) =>
            {
                var filter = string.Concat(
                    Part("device", parsed.GetValue(device)), Part("query", parsed.GetValue(query)),
                    Part("severity", parsed.GetValue(severity)));
                var items = await api.ListAsync($"api/v1/alerts?{filter.TrimStart('&')}", parsed.GetValue(limit), ct);
                ResultWriter.List(parsed.GetValue(CommonOptions.Output), items, ("at", "at"), ("severity", "severity"),
                    ("device", "deviceId"), ("message", "message"), ("query", "query"), ("details", "details"));
            }, device, query, severity, limit, CommonOptions.Output);
        return Verb.Group("alert", "Alerts that queries raised", list);
    }

    private static string Part(string name, string? value) =>
        value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";
}
