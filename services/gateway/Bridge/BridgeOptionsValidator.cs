using System.Text;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Bridge.Link;
using Millrace.Gateway.Bridge.Mapping;
using Millrace.Gateway.Bridge.Outputs;
using Millrace.Gateway.Topics;
using Millrace.Mqtt;
using Millrace.Primitives;

namespace Millrace.Gateway.Bridge;

/// <summary>Checks the bridges; all that is wrong is said at once, each with its key.</summary>
internal sealed class BridgeOptionsValidator : IValidateOptions<GatewayOptions>
{
    public ValidateOptionsResult Validate(string? name, GatewayOptions options)
    {
        var check = new Check();
        for (var i = 0; i < options.Bridges.Count; i++)
        {
            var bridge = options.Bridges[i];
            var at = check.At($"Gateway:Bridges:{i}");
            at.That(options.Bridges.Take(i).All(other => other.Name != bridge.Name), "Name", bridge.Name,
                "Another bridge has this name.");
            at.That(options.Bridges.Take(i).All(other => other.Broker != bridge.Broker
                || other.ClientIdOrDefault != bridge.ClientIdOrDefault), "ClientId", bridge.ClientIdOrDefault,
                "Another bridge to this broker has this client id; they would take each other's connection.");
            One(bridge, at);
        }

        return check.Failures.Count == 0
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(check.Failures);
    }

    private static void One(BridgeOptions bridge, Check at)
    {
        at.That(bridge.Name.Length is > 0 and <= 64 && bridge.Name.All(IsNameCharacter), "Name", bridge.Name,
            "It has 1 to 64 letters, digits, dots, dashes and underscores.");
        at.That(bridge.Host.Length > 0, "Host", bridge.Host, "Name the broker's host.");
        at.That(bridge.Port is >= 0 and <= 65_535, "Port", bridge.Port, "Choose from 0 to 65535.");
        at.That(bridge.Version is MqttVersion.V311 or MqttVersion.V5, "Version", bridge.Version, "V5 or V311.");
        at.That(bridge.Password.Length == 0 || bridge.PasswordFile.Length == 0, "PasswordFile", bridge.PasswordFile,
            "Give Password or PasswordFile.");
        at.That(bridge.UserName.Length > 0 || (bridge.Password.Length == 0 && bridge.PasswordFile.Length == 0),
            "UserName", bridge.UserName, "A password needs a user name.");
        at.That(bridge.SharedGroup.IndexOfAny(['/', '+', '#']) < 0, "SharedGroup", bridge.SharedGroup,
            "It has no / + or #.");
        at.That(bridge.InFlightMax is >= 1 and <= 65_535, "InFlightMax", bridge.InFlightMax, "Choose from 1 to 65535.");
        at.That(bridge.SendInFlightMax is >= 1 and <= 65_535, "SendInFlightMax", bridge.SendInFlightMax,
            "Choose from 1 to 65535.");
        at.That(bridge.RefusedTriesMax is >= 1 and <= 1_000_000, "RefusedTriesMax", bridge.RefusedTriesMax,
            "Choose from 1 to 1000000.");
        at.That(bridge.PacketBytesMax.Bytes is >= 128 and <= 8 << 20, "PacketBytesMax", bridge.PacketBytesMax,
            "Choose from 128B to 8MiB.");
        at.That(bridge.BacklogBytesMax.Bytes is >= 1 and <= 1 << 30, "BacklogBytesMax", bridge.BacklogBytesMax,
            "Choose from 1B to 1GiB.");
        Times(bridge, at);
        Files(bridge, at);
        at.That(bridge.Subscriptions.Count + bridge.Outputs.Count > 0, "Subscriptions", null,
            "Give the bridge a subscription or an output.");
        for (var i = 0; i < bridge.Subscriptions.Count; i++)
            Subscription(bridge.Subscriptions[i], at.At($"Subscriptions:{i}"));
        for (var i = 0; i < bridge.Outputs.Count; i++)
        {
            var output = bridge.Outputs[i];
            at.That(bridge.Outputs.Take(i).All(other => other.From != output.From), $"Outputs:{i}:From", output.From,
                "Another output of this bridge sends this topic.");
            Output(output, at.At($"Outputs:{i}"));
        }
    }

    private static void Times(BridgeOptions bridge, Check at)
    {
        at.That(bridge.KeepAlive.TotalSeconds is >= 1 and <= 65_535, "KeepAlive", bridge.KeepAlive,
            "Choose from 1 second to 18:12:15.");
        at.That(bridge.SessionExpiry.TotalSeconds is >= 1 and <= uint.MaxValue, "SessionExpiry", bridge.SessionExpiry,
            "Make it a second or more; CleanStart does without a session.");
        at.That(bridge.ConnectTimeout > TimeSpan.Zero, "ConnectTimeout", bridge.ConnectTimeout, "Make it more than 0.");
        at.That(bridge.ReconnectDelayMin > TimeSpan.Zero, "ReconnectDelayMin", bridge.ReconnectDelayMin,
            "Make it more than 0.");
        at.That(bridge.ReconnectDelayMax >= bridge.ReconnectDelayMin, "ReconnectDelayMax", bridge.ReconnectDelayMax,
            "Make it as long as ReconnectDelayMin, or longer.");
    }

    private static void Files(BridgeOptions bridge, Check at)
    {
        var tls = bridge.Tls;
        at.That(tls.Enabled || (tls.CaFile + tls.CertificateFile + tls.KeyFile + tls.ServerName).Length == 0,
            "Tls:Enabled", tls.Enabled, "The other options of Tls mean nothing without it.");
        at.That((tls.CertificateFile.Length > 0) == (tls.KeyFile.Length > 0), "Tls:KeyFile", tls.KeyFile,
            "CertificateFile and KeyFile go together.");
        if (bridge.Host.Length == 0 || (tls.CertificateFile.Length > 0) != (tls.KeyFile.Length > 0)) return;
        try
        {
            BridgeClientOptions.Of(bridge);
        }
        catch (MillraceException failure)
        {
            at.Add($"{at.Path}: {failure.Error}");
        }
        catch (Exception failure) when (failure is ArgumentException or InvalidOperationException)
        {
            at.That(false, "Host", bridge.Host, failure.Message);
        }
    }

    private static void Subscription(BridgeSubscriptionOptions options, Check at)
    {
        var pattern = NamedFilter.TryParse(options.Topic);
        at.That(pattern is not null && Encoding.UTF8.GetByteCount(options.Topic) <= 65_535, "Topic", options.Topic,
            "It is a topic filter in which a level may be a name in braces, each name once.");
        at.That(options.Qos is >= 0 and <= 2, "Qos", options.Qos, "0, 1 or 2.");
        var names = pattern?.Names.ToHashSet() ?? [];
        at.That(options.DeviceId.Length > 0, "DeviceId", options.DeviceId, "Say which device it is.");
        Template(options.DeviceId, "DeviceId", names.Contains, at);
        Template(options.ModuleId, "ModuleId", names.Contains, at);
        Template(options.ContentType, "ContentType", names.Contains, at);
        foreach (var (property, template) in options.Properties)
        {
            at.That(property.Length > 0 && Encoding.UTF8.GetByteCount(property) <= TelemetryEncoder.NameBytesMax,
                "Properties", property, $"A name has 1 to {TelemetryEncoder.NameBytesMax} bytes.");
            Template(template, $"Properties:{property}", names.Contains, at);
        }

        at.That(options.Body.Length == 0 || JsonPath.TryParse(options.Body) is not null, "Body", options.Body,
            "Write the field like $.a.b.");
    }

    private static void Output(BridgeOutputOptions options, Check at)
    {
        at.That(options.From is Contracts.Topics.Alerts or Contracts.Topics.DeviceMessages
            || (options.From.StartsWith(Contracts.Topics.OutputPrefix, StringComparison.Ordinal)
                && options.From.Length > Contracts.Topics.OutputPrefix.Length), "From", options.From,
            $"{Contracts.Topics.Alerts}, {Contracts.Topics.OutputPrefix}<name> or {Contracts.Topics.DeviceMessages}.");
        at.That(options.Topic.Length > 0 && options.Topic.IndexOfAny(['+', '#', '\0']) < 0, "Topic", options.Topic,
            "A topic to publish to has no + or #.");
        Template(options.Topic, "Topic", name => OutputMessages.IsKnown(name, options), at);
    }

    private static void Template(string text, string key, Func<string, bool> isKnown, Check at)
    {
        var template = MessageTemplate.TryParse(text);
        at.That(template is not null, key, text, "Braces hold the name of a level, or a field like $.a.b.");
        foreach (var name in template?.Names.Where(name => !isKnown(name)) ?? [])
            at.That(false, key, text, $"There is no {{{name}}}.");
    }

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_';

    /// <summary>Collects what is wrong, under a key.</summary>
    private sealed record Check(string Path, List<string> Failures)
    {
        public Check()
            : this("", [])
        {
        }

        public Check At(string key) => this with { Path = Path.Length == 0 ? key : $"{Path}:{key}" };

        public void That(bool holds, string key, object? value, string detail)
        {
            if (!holds) Add($"{Path}:{key}: {BridgeErrors.Invalid.With(value, detail)}");
        }

        public void Add(string failure) => Failures.Add(failure);
    }
}
