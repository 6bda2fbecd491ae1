namespace Millrace.Saql.Binding;

/// <summary>The columns of a SELECT, in order; two cannot have one name.</summary>
internal sealed class ColumnList
{
    private readonly List<ColumnItem> _items = [];
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);

    public List<ColumnItem> Items => _items;

    public bool Has(string name) => _names.Contains(name);

    /// <summary>False when there is a column of its name.</summary>
    public bool TryAdd(ColumnItem item)
    {
        if (item.Name is { } name && !_names.Add(name)) return false;
        _items.Add(item);
        return true;
    }
}
