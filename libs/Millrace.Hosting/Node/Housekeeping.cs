namespace Millrace.Hosting.Node;

/// <summary>
/// Whether this process does what one process of a hub is enough for, such as retention. Two that do it for a while do
/// no harm.
/// </summary>
public sealed class Housekeeping
{
    private volatile bool _isHere = true;

    /// <summary>True in a process that is alone; in a cluster, in one of its members.</summary>
    public bool IsHere
    {
        get => _isHere;
        set => _isHere = value;
    }
}
