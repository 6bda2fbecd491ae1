using System.Text;

namespace Millrace.Saql.Json;

/// <summary>The fields that a query reads, as a tree of names. Only these are decoded.</summary>
internal sealed class FieldNode(string name)
{
    private readonly Dictionary<string, FieldNode> _childrenByName = new(StringComparer.Ordinal);
    private readonly List<FieldNode> _children = [];
    private FieldNode[]? _childrenArray;

    public byte[] Name { get; } = Encoding.UTF8.GetBytes(name);

    /// <summary>Where the value goes; -1 when only fields below are read.</summary>
    public int Slot { get; private set; } = -1;

    public FieldNode[] Children => _childrenArray ??= [.. _children];

    public string Text => name;

    /// <summary>The node of a path below this one, with a slot.</summary>
    public FieldNode Require(ReadOnlySpan<string> path, Func<int> newSlot)
    {
        if (path.IsEmpty)
        {
            if (Slot < 0) Slot = newSlot();
            return this;
        }

        var wanted = path[0];
        if (!_childrenByName.TryGetValue(wanted, out var child))
        {
            _childrenByName[wanted] = child = new FieldNode(wanted);
            _children.Add(child);
            _childrenArray = null;
        }

        return child.Require(path[1..], newSlot);
    }

    /// <summary>Each path that is read, and where its value goes.</summary>
    public IEnumerable<(string[] Path, int Slot)> Reads() => Reads([]);

    private IEnumerable<(string[] Path, int Slot)> Reads(string[] path)
    {
        if (Slot >= 0) yield return (path, Slot);
        foreach (var read in _children.SelectMany(child => child.Reads([.. path, child.Text]))) yield return read;
    }

    /// <summary>The paths that are read, for people.</summary>
    public IEnumerable<string> Paths(string prefix = "")
    {
        if (Slot >= 0 && prefix.Length > 0) yield return prefix;
        foreach (var path in _children.SelectMany(child =>
            child.Paths(prefix.Length == 0 ? child.Text : $"{prefix}.{child.Text}")))
            yield return path;
    }
}
