using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Devices;

/// <summary>millrace device send ...</summary>
internal static class SendCommand
{
    private static readonly Argument<string> Id = new("ID") { Description = "The device's id" };
    private static readonly Argument<string> Body = new("BODY") { Description = "The message's body, as text" };

    private static readonly Option<string?> Topic = new("--topic")
    {
        Description = "What follows devices/ID/ (default: messages/devicebound)",
    };

    private static readonly Option<int> Qos = new("--qos")
    {
        Description = "0, 1 or 2",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<string?> ContentType = new("--content-type") { Description = "Of the body" };

    private static readonly Option<string[]> Property = new("--property")
    {
        Description = "An application property; may be given several times",
        HelpName = "NAME=VALUE",
    };

    private static readonly Option<long?> Expires = new("--expires")
    {
        Description = "After so many seconds the message is not delivered any more",
        HelpName = "SECONDS",
    };

    public static Command Build() => Verb.Remote("send", "Send a message to a device",
        "millrace device send pump-7 '{\"speed\": 3}' --qos 2", SendAsync, Id, Body, Topic, Qos, ContentType, Property,
        Expires, CommonOptions.Output);

    private static async Task SendAsync(ParseResult parsed, ApiClient api, CancellationToken ct)
    {
        var message = new JsonObject { ["body"] = parsed.GetValue(Body), ["qos"] = parsed.GetValue(Qos) };
        if (parsed.GetValue(Topic) is { } topic) message["topic"] = topic;
        if (parsed.GetValue(ContentType) is { } type) message["contentType"] = type;
        if (parsed.GetValue(Expires) is { } seconds) message["expiresInSeconds"] = seconds;
        if (parsed.GetValue(Property) is { Length: > 0 } properties) message["properties"] = Properties(properties);
        var path = $"api/v1/devices/{Uri.EscapeDataString(parsed.GetValue(Id)!)}/messages";
        var sent = await api.PostAsync(path, message, ct);
        ResultWriter.One(parsed.GetValue(CommonOptions.Output), sent!.AsObject());
    }

    private static JsonObject Properties(string[] pairs)
    {
        var properties = new JsonObject();
        foreach (var pair in pairs)
        {
            var at = pair.IndexOf('=');
            if (at < 1) throw HostErrors.OptionInvalid.With("--property", pair).AsException();
            properties[pair[..at]] = pair[(at + 1)..];
        }

        return properties;
    }
}
