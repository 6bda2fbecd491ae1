using System.Text;
using Millrace.Primitives;

namespace Millrace.Gateway.Topics;

/// <summary>A topic mapping's template, parsed.</summary>
internal sealed class TopicTemplate
{
    private static ReadOnlySpan<byte> DeviceLevel => "deviceId"u8;

    private readonly (byte[] Text, bool IsName)[] _levels;
    private readonly bool _open;

    private TopicTemplate((byte[] Text, bool IsName)[] levels, bool open) => (_levels, _open) = (levels, open);

    public static bool TryParse(string text, out TopicTemplate? template)
    {
        template = null;
        var levels = text.Split('/');
        var open = levels[^1] == "#";
        var parsed = (open ? levels[..^1] : levels).Select(Parse).ToArray();
        var names = parsed.Where(level => level.IsName).Select(level => Encoding.UTF8.GetString(level.Text)).ToList();
        var legal = text.Length > 0 && parsed.Length > 0 && !names.Contains("")
            && names.Distinct().Count() == names.Count
            && !parsed.Any(level => level.Text.AsSpan().ContainsAny("{}+#"u8));
        if (legal) template = new TopicTemplate(parsed, open);
        return legal;
    }

    /// <summary>
    /// The device (null: the connection's own) and the properties that the topic names; null: no match.
    /// </summary>
    public MappedTopic? Match(ReadOnlySpan<byte> topic)
    {
        string? device = null;
        var properties = new List<(byte[] Name, byte[] Value)>();
        for (var i = 0; i < _levels.Length; i++)
        {
            var end = topic.IndexOf((byte)'/');
            var last = i == _levels.Length - 1;
            if (end < 0 && !last) return null;
            if (end >= 0 && last && !_open) return null;
            var level = end < 0 ? topic : topic[..end];
            topic = end < 0 ? default : topic[(end + 1)..];
            var (text, isName) = _levels[i];
            if (!isName)
            {
                if (!level.SequenceEqual(text)) return null;
                continue;
            }

            if (level.IsEmpty) return null;
            if (text.AsSpan().SequenceEqual(DeviceLevel)) device = Encoding.UTF8.GetString(level);
            else properties.Add((text, level.ToArray()));
        }

        if (device is not null && !DeviceId.IsValid(device)) return null;
        return new MappedTopic(device, [.. properties]);
    }

    private static (byte[] Text, bool IsName) Parse(string level)
    {
        var isName = level.Length >= 2 && level[0] == '{' && level[^1] == '}';
        return (Encoding.UTF8.GetBytes(isName ? level[1..^1] : level), isName);
    }
}

/// <summary>What a free topic says by its mapping.</summary>
internal sealed record MappedTopic(string? DeviceId, (byte[] Name, byte[] Value)[] Properties);
