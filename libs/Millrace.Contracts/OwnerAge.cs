namespace Millrace.Contracts;

/// <summary>
/// Which of the owners of a place of a query is the newer: that of a later version, or of one version the one with the
/// higher epoch.
/// </summary>
public readonly record struct OwnerAge(int Version, long Epoch) : IComparable<OwnerAge>
{
    public int CompareTo(OwnerAge other) => (Version, Epoch).CompareTo((other.Version, other.Epoch));
}
