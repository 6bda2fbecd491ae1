using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Devices;

/// <summary>millrace device ...</summary>
internal static class DeviceCommands
{
    private static readonly Argument<string> Id = new("ID") { Description = "The device's id" };

    private static readonly (string, string)[] Columns =
        [("device", "deviceId"), ("status", "status"), ("connected", "connected"), ("last seen", "lastSeenAt"),
         ("authentication", "authentication"), ("tags", "tags")];

    public static Command Build() => Verb.Group("device",
        "Devices: create, list, show, near, disable, delete, keys, send",
        Create(), List(), Show(), NearCommand.Build(),
        SetStatus("disable", "Refuse a device; its connection ends within a second"),
        SetStatus("enable", "Let a disabled device in again"), Delete(), Keys(),
        SendCommand.Build());

    private static Command Create()
    {
        var tags = new Option<string?>("--tags") { Description = "A JSON object", HelpName = "JSON" };
        var thumbprint = new Option<string?>("--thumbprint")
        {
            Description = "SHA-256 of a client certificate: the device proves itself by it, not by keys",
        };
        return Verb.Remote("create", "Make a device; prints its keys",
            "millrace device create pump-7 --tags '{\"site\":\"north\"}'",
            async (parsed, api, ct) =>
            {
                var id = parsed.GetValue(Id)!;
                var body = new JsonObject { ["deviceId"] = id };
                if (parsed.GetValue(tags) is { } json) body["tags"] = Json(json);
                if (parsed.GetValue(thumbprint) is { } print) body["primaryThumbprint"] = print;
                await api.PostAsync("api/v1/devices", body, ct);
                await PrintKeysAsync(parsed, api, id, ct);
            }, Id, tags, thumbprint, CommonOptions.Output);
    }

    private static Command List()
    {
        var prefix = new Option<string?>("--prefix") { Description = "Only ids that begin with this" };
        var contains = new Option<string?>("--contains") { Description = "Only ids that have this somewhere" };
        var status = new Option<string?>("--status") { Description = "Only those that are enabled, or disabled" };
        status.AcceptOnlyFromAmong("enabled", "disabled");
        var tags = new Option<string[]>("--tag")
        {
            Description = "Only those with this tag; dots lead into objects; may be given several times",
            HelpName = "NAME=VALUE",
        };
        var limit = new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 1000 };
        return Verb.Remote("list", "Devices in order of their ids",
            "millrace device list --prefix pump- --tag site=north --output csv",
            async (parsed, api, ct) =>
            {
                List<(string Name, string? Value)> query =
                [
                    ("prefix", parsed.GetValue(prefix)), ("contains", parsed.GetValue(contains)),
                    ("status", parsed.GetValue(status)),
                    .. (parsed.GetValue(tags) ?? []).Select(tag => ("tag", (string?)tag)),
                ];
                var parts = query.Where(part => part.Value is not null)
                    .Select(part => $"{part.Name}={Uri.EscapeDataString(part.Value!)}");
                var items = await api.ListAsync($"api/v1/devices?{string.Join('&', parts)}".TrimEnd('?'),
                    parsed.GetValue(limit), ct);
                ResultWriter.List(parsed.GetValue(CommonOptions.Output), items, Columns);
            }, prefix, contains, status, tags, limit, CommonOptions.Output);
    }

    private static Command Show() => Verb.Remote("show", "One device with its state", "millrace device show pump-7",
        async (parsed, api, ct) =>
        {
            var device = await api.GetAsync(Path(parsed), ct);
            ResultWriter.One(parsed.GetValue(CommonOptions.Output), device!.AsObject());
        }, Id, CommonOptions.Output);

    private static Command SetStatus(string verb, string description) => Verb.Remote(verb, description,
        $"millrace device {verb} pump-7", async (parsed, api, ct) =>
        {
            var device = await api.PostAsync($"{Path(parsed)}/{verb}", null, ct);
            ResultWriter.One(parsed.GetValue(CommonOptions.Output), device!.AsObject());
        }, Id, CommonOptions.Output);

    private static Command Delete() => Verb.Remote("delete", "Remove a device; its telemetry stays",
        "millrace device delete pump-7", async (parsed, api, ct) =>
        {
            await api.DeleteAsync(Path(parsed), ct);
            ResultWriter.One(parsed.GetValue(CommonOptions.Output),
                new JsonObject { ["deviceId"] = parsed.GetValue(Id), ["status"] = "deleted" });
        }, Id, CommonOptions.Output);

    private static Command Keys()
    {
        var regenerate = new Option<string?>("--regenerate")
        {
            Description = "Make new ones first: primary, secondary, both; or swap the two",
        };
        regenerate.AcceptOnlyFromAmong("primary", "secondary", "both", "swap");
        return Verb.Remote("keys", "A device's two keys", "millrace device keys pump-7 --regenerate secondary",
            async (parsed, api, ct) =>
            {
                if (parsed.GetValue(regenerate) is { } which)
                    await api.PostAsync($"{Path(parsed)}/keys/regenerate", new JsonObject { ["which"] = which }, ct);
                await PrintKeysAsync(parsed, api, parsed.GetValue(Id)!, ct);
            }, Id, regenerate, CommonOptions.Output);
    }

    private static async Task PrintKeysAsync(ParseResult parsed, ApiClient api, string id, CancellationToken ct)
    {
        var keys = await api.GetAsync($"api/v1/devices/{Uri.EscapeDataString(id)}/keys", ct);
        ResultWriter.One(parsed.GetValue(CommonOptions.Output), keys!.AsObject());
    }

    private static string Path(ParseResult parsed) => $"api/v1/devices/{Uri.EscapeDataString(parsed.GetValue(Id)!)}";

    private static JsonNode Json(string text)
    {
        try
        {
            return JsonNode.Parse(text)!;
        }
        catch (System.Text.Json.JsonException e)
        {
            throw HostErrors.OptionInvalid.With("--tags", e.Message).AsException(e);
        }
    }
}
