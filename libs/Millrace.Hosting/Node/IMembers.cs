namespace Millrace.Hosting.Node;

/// <summary>The processes of the hub that form its cluster.</summary>
public interface IMembers
{
    /// <summary>
    /// None where there is no cluster; null while this process is not in it, and does not know who is.
    /// </summary>
    IReadOnlyList<Member>? Current { get; }
}

/// <param name="Address">Its host and port in the cluster.</param>
/// <param name="Schema">The newest step of the stores' schema that it knows; 0 for a version that does not say.</param>
public sealed record Member(string Address, int Schema);
