namespace Millrace.Gateway.Bridge.Mapping;

/// <summary>A topic filter whose single levels may have names.</summary>
internal sealed class NamedFilter
{
    private readonly Level[] _levels;
    private readonly bool _open;

    private NamedFilter(Level[] levels, bool open)
    {
        (_levels, _open) = (levels, open);
        Filter = string.Join('/', levels.Select(level => level.IsWild ? "+" : level.Text).Concat(open ? ["#"] : []));
    }

    /// <summary>What is subscribed to.</summary>
    public string Filter { get; }

    public IEnumerable<string> Names => _levels.Where(level => level.IsWild && level.Text != "").Select(l => l.Text);

    public static NamedFilter? TryParse(string text)
    {
        var levels = text.Split('/');
        var open = levels[^1] == "#";
        var parsed = (open ? levels[..^1] : levels).Select(Parse).ToArray();
        if (text.Length == 0 || parsed.Contains(null)) return null;
        var pattern = new NamedFilter([.. parsed.Select(level => level!)], open);
        var names = pattern.Names.ToList();
        return names.Distinct().Count() == names.Count ? pattern : null;
    }

    /// <summary>The values of the named levels; null when the topic does not match (MQTT 5 §4.7).</summary>
    public IReadOnlyList<(string Name, string Value)>? Match(string topic)
    {
        var levels = topic.Split('/');
        if (levels.Length < _levels.Length || (levels.Length > _levels.Length && !_open)) return null;
        var first = _levels.Length == 0 || _levels[0].IsWild;
        if (first && topic.StartsWith('$')) return null;
        var values = new List<(string, string)>();
        for (var i = 0; i < _levels.Length; i++)
        {
            if (!_levels[i].IsWild && _levels[i].Text != levels[i]) return null;
            if (_levels[i].IsWild && _levels[i].Text != "") values.Add((_levels[i].Text, levels[i]));
        }

        return values;
    }

    private static Level? Parse(string level)
    {
        if (level == "+") return new Level("", true);
        if (level.AsSpan().IndexOfAny("{}+#\0") < 0) return new Level(level, false);
        var name = level.Length > 2 && level[0] == '{' && level[^1] == '}' ? level[1..^1] : "";
        var legal = name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
        return legal ? new Level(name, true) : null;
    }

    /// <param name="Text">The level's text; of a wild one its name, which may be empty.</param>
    private sealed record Level(string Text, bool IsWild);
}
