namespace Millrace.EventLog.Tests.Disk;

/// <summary>
/// A name that goes, a name that comes (of a file, or of a folder when there is no node), or both at once.
/// </summary>
internal sealed record NameChange(string? Gone, string? Come, Node? Node)
{
    public void ApplyTo(Dictionary<string, Node?> names)
    {
        if (Gone is not null) names.Remove(Gone);
        if (Come is not null) names[Come] = Node;
    }
}

/// <summary>The names in a folder, as seen and as durable.</summary>
internal sealed class Folder
{
    private readonly List<NameChange> _unsynced = [];
    private Dictionary<string, Node?> _durable = [];

    public Dictionary<string, Node?> Names { get; private init; } = [];

    public void Do(NameChange change)
    {
        change.ApplyTo(Names);
        _unsynced.Add(change);
    }

    public void Sync()
    {
        _unsynced.Clear();
        _durable = new Dictionary<string, Node?>(Names);
    }

    public Folder AfterPowerLoss(Random random)
    {
        var names = new Dictionary<string, Node?>(_durable);
        foreach (var change in _unsynced.Where(_ => random.Next(2) == 0)) change.ApplyTo(names);
        var found = names.ToDictionary(pair => pair.Key, pair => pair.Value?.AfterPowerLoss());
        return new Folder { Names = found, _durable = new Dictionary<string, Node?>(found) };
    }
}
