using System.Text;
using Millrace.Mqtt;
using Millrace.Mqtt.Topics;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>The filter of an access rule: + and # as in MQTT, and levels that stand for the device's own id.</summary>
internal sealed class TopicAccessFilter
{
    private const string OwnLevel = "{deviceId}";

    private readonly TopicPattern _pattern;

    private TopicAccessFilter(TopicPattern pattern) => _pattern = pattern;

    private static ReadOnlySpan<byte> Placeholder => "{deviceId}"u8;

    /// <summary>What any device may come to use by it.</summary>
    public TopicPattern ForAny => _pattern.Bind(Placeholder, null);

    /// <summary>What one device may use; its id counts as it is written, whatever is in it.</summary>
    public TopicPattern For(string deviceId) => _pattern.Bind(Placeholder, Encoding.UTF8.GetBytes(deviceId));

    /// <summary>The filter, or what is wrong with it.</summary>
    public static string? Parse(string text, out TopicAccessFilter? filter)
    {
        filter = null;
        var bytes = Encoding.UTF8.GetBytes(text);
        if (!TopicFilter.IsValid(bytes)) return "it is not a topic filter";
        var levels = text.Split('/');
        if (levels.Length > TopicTree.LevelsMax) return $"it has more than {TopicTree.LevelsMax} levels";
        if (levels.Any(level => level != OwnLevel && level.AsSpan().ContainsAny('{', '}')))
            return $"braces are for a level {OwnLevel} alone";
        if (PlatformTopics.Has(bytes)) return "it begins as the platform's own topics do";
        filter = new TopicAccessFilter(TopicPattern.Parse(bytes));
        return null;
    }
}
