using System.Net;
using Microsoft.Extensions.Options;
using Millrace.EventLog;
using Millrace.Gateway.Listeners;
using Millrace.Mqtt.Topics;
using Millrace.Primitives;
using LogTopics = Millrace.Contracts.Topics;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>All that is wrong is said at once, each with its key.</summary>
internal sealed class TopicSpacesOptionsValidator(
    IOptions<GatewayOptions> gateway, IOptions<EventLogOptions>? log = null)
    : IValidateOptions<TopicSpacesOptions>
{
    private const string Key = "Gateway:TopicSpaces";

    // So that none is ever a topic of the platform itself.
    private const string OwnPrefix = "space.";

    public ValidateOptionsResult Validate(string? name, TopicSpacesOptions options)
    {
        var failures = new List<string>();
        if (options.AllowAnonymous && !(options.Enabled && IsLoopbackOnly(gateway.Value)))
            failures.Add(TopicSpaceErrors.AnonymousNotLoopback.With($"{Key}:AllowAnonymous").ToString());
        if (options.Enabled && !options.OnlyGateway && log?.Value.Kind == EventLogKind.Kafka)
            failures.Add(Told($"{Key}:Enabled", "a space is within one gateway; OnlyGateway says that there is one"));
        if (options.Enabled && options.Spaces.Count == 0)
            failures.Add(Told($"{Key}:Spaces", "there is none, so nothing is allowed"));
        for (var i = 0; i < options.Spaces.Count; i++) Space($"{Key}:Spaces:{i}", options.Spaces[i], failures);
        foreach (var twice in options.Spaces.GroupBy(space => space.Name).Where(group => group.Count() > 1))
            failures.Add(Told($"{Key}:Spaces", $"the name {twice.Key} is there {twice.Count()} times"));
        Apart(options.Spaces, failures);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void Space(string key, TopicSpaceOptions space, List<string> failures)
    {
        if (space.Name.Length is 0 or > 64 || !space.Name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)
            || c == '-')) failures.Add(Told($"{key}:Name", $"{space.Name} is not 1 to 64 of a-z, 0-9 and -"));
        if (space.Publish.Count == 0) failures.Add(Told($"{key}:Publish", "nobody may publish"));
        for (var i = 0; i < space.Publish.Count; i++) Access($"{key}:Publish:{i}", space.Publish[i], failures);
        for (var i = 0; i < space.Subscribe.Count; i++) Access($"{key}:Subscribe:{i}", space.Subscribe[i], failures);
        if (space.RetainedMax is < 1 or > 10_000_000)
            failures.Add(Told($"{key}:RetainedMax", $"{space.RetainedMax} is not from 1 to 10000000"));
        if (space.RetainedBytesMax.Bytes is < 1 or > 1L << 40)
            failures.Add(Told($"{key}:RetainedBytesMax", $"{space.RetainedBytesMax} is not from 1 to 1TiB"));
        if (!MayGoTo(space.ToEventLog))
        {
            failures.Add(Told($"{key}:ToEventLog", $"{space.ToEventLog} is neither {LogTopics.Telemetry} nor " +
                $"{OwnPrefix} and a name of letters, digits, . _ and -"));
        }
    }

    private static void Access(string key, TopicAccessOptions access, List<string> failures)
    {
        if (TopicAccessFilter.Parse(access.Filter, out _) is { } defect)
            failures.Add(Told($"{key}:Filter", $"{access.Filter}: {defect}"));
        var names = access.Devices.Count + access.Tags.Count > 0;
        if (names == access.Everyone)
            failures.Add(Told(key, names ? "it names some, and says Everyone too" : "it is for nobody"));
        foreach (var device in access.Devices.Where(device => !DeviceId.IsValid(device)))
            failures.Add($"{key}:Devices: {PrimitiveErrors.DeviceIdInvalid.With(device)}");
        foreach (var tag in access.Tags.Where(tag => !DeviceTagTest.TryParse(tag, out _)))
            failures.Add(Told($"{key}:Tags", $"{tag} is not name=value"));
    }

    private static void Apart(List<TopicSpaceOptions> spaces, List<string> failures)
    {
        var claims = spaces.SelectMany(space => space.Publish.Concat(space.Subscribe)
            .Where(access => TopicAccessFilter.Parse(access.Filter, out _) is null)
            .Select(access => (space.Name, access.Filter, Pattern: PatternOf(access)))).Distinct().ToList();
        for (var i = 0; i < claims.Count; i++)
        {
            foreach (var other in claims.Skip(i + 1).Where(other => other.Name != claims[i].Name))
            {
                if (!claims[i].Pattern.Overlaps(other.Pattern)) continue;
                failures.Add(Told($"{Key}:Spaces", $"{claims[i].Filter} of {claims[i].Name} and {other.Filter} of " +
                    $"{other.Name} have topics in common"));
            }
        }
    }

    private static TopicPattern PatternOf(TopicAccessOptions access)
    {
        TopicAccessFilter.Parse(access.Filter, out var filter);
        return filter!.ForAny;
    }

    private static bool MayGoTo(string topic) => topic.Length == 0 || topic == LogTopics.Telemetry
        || (topic.StartsWith(OwnPrefix, StringComparison.Ordinal) && topic.Length > OwnPrefix.Length
            && topic.Length <= 200 && topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'));

    private static bool IsLoopbackOnly(GatewayOptions options) =>
        (!options.Mqtt.Enabled || IsLoopback(options.Mqtt.Address))
        && (!options.Mqtts.IsEnabled || IsLoopback(options.Mqtts.Address))
        && (!options.WebSocket.Enabled || IsLoopback(options.WebSocket.Address))
        && (!options.WebSocketTls.IsEnabled || IsLoopback(options.WebSocketTls.Address));

    private static bool IsLoopback(string text) =>
        ListenerAddress.TryParse(text, out var address) && IPAddress.IsLoopback(address);

    private static string Told(string key, string detail) =>
        TopicSpaceErrors.SpaceInvalid.With(key, $"{char.ToUpperInvariant(detail[0])}{detail[1..]}.").ToString();
}
