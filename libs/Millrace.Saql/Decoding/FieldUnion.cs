using Millrace.Saql.Json;

namespace Millrace.Saql.Decoding;

/// <summary>What several queries read of the same bodies, as one tree, and where each finds its own in a row of it.
/// </summary>
internal sealed class FieldUnion
{
    private readonly Dictionary<FieldNode, (int Own, int Shared)[]> _places = [];

    public FieldUnion(IEnumerable<FieldNode> trees)
    {
        var width = 0;
        foreach (var tree in trees)
        {
            if (_places.ContainsKey(tree)) continue;
            _places[tree] = [.. tree.Reads().Select(read => (read.Slot, Root.Require(read.Path, () => width++).Slot))];
        }

        Width = width;
    }

    public FieldNode Root { get; } = new("");

    /// <summary>The slots of a row.</summary>
    public int Width { get; }

    public bool Has(FieldNode tree) => _places.ContainsKey(tree);

    public (int Own, int Shared)[] PlacesOf(FieldNode tree) => _places[tree];
}
