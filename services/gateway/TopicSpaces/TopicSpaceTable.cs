using System.Text.Json;
using Microsoft.Extensions.Options;
using Millrace.Mqtt.Session;
using Millrace.Mqtt.Topics;
using Millrace.Stores.Retained;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>All spaces with their access lists, made of options that were found valid.</summary>
internal sealed class TopicSpaceTable
{
    private readonly List<Rule> _publish = [];
    private readonly List<Rule> _subscribe = [];
    private readonly TopicPattern[] _claims;

    public TopicSpaceTable(IOptions<TopicSpacesOptions> options)
    {
        Spaces = options.Value.Enabled ? [.. options.Value.Spaces.Select(Add)] : [];
        _claims = [.. _publish.Concat(_subscribe).Select(rule => rule.Filter.ForAny)];
    }

    /// <summary>None when they are switched off.</summary>
    public IReadOnlyList<TopicSpace> Spaces { get; }

    /// <summary>The limits of a session, with what spaces let it do.</summary>
    public SessionLimits Granting(SessionLimits limits) => Spaces.Count == 0
        ? limits
        : limits with { MayRetain = Spaces.Any(space => space.MayRetain), MayShare = true };

    /// <summary>What one device may do, by its tags as they are now.</summary>
    public TopicAccess AccessOf(string deviceId, string tagsJson)
    {
        using var tags = JsonDocument.Parse(tagsJson);
        return new TopicAccess(
            Granted(_publish, deviceId, tags.RootElement), Granted(_subscribe, deviceId, tags.RootElement), _claims);
    }

    private static TopicGrant[] Granted(List<Rule> rules, string deviceId, JsonElement tags) =>
        [.. rules.Where(r => r.IsFor(deviceId, tags)).Select(r => new TopicGrant(r.Filter.For(deviceId), r.Space))];

    private TopicSpace Add(TopicSpaceOptions options)
    {
        var limits = new RetainedLimits(options.RetainedMax, options.RetainedBytesMax.Bytes);
        var space = new TopicSpace(options.Name, options.Retain, limits,
            options.ToEventLog.Length == 0 ? null : options.ToEventLog);
        _publish.AddRange(options.Publish.Select(access => Rule.Of(access, space)));
        _subscribe.AddRange(options.Subscribe.Select(access => Rule.Of(access, space)));
        return space;
    }

    private sealed record Rule(
        TopicAccessFilter Filter, TopicSpace Space, bool Everyone, HashSet<string> Devices, DeviceTagTest[] Tags)
    {
        public static Rule Of(TopicAccessOptions options, TopicSpace space)
        {
            if (TopicAccessFilter.Parse(options.Filter, out var filter) is { } defect)
                throw TopicSpaceErrors.SpaceInvalid.With(options.Filter, defect).AsException();
            return new Rule(filter!, space, options.Everyone, [.. options.Devices],
                [.. options.Tags.Select(text => DeviceTagTest.TryParse(text, out var test) ? test : default)]);
        }

        public bool IsFor(string deviceId, JsonElement tags) =>
            Everyone || Devices.Contains(deviceId) || Tags.Any(test => test.Name is not null && test.Holds(tags));
    }
}
