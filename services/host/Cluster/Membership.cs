namespace Millrace.Cluster;

/// <summary>Whether the cluster has gone on without this process, which has to end then.</summary>
internal sealed class Membership
{
    private volatile bool _isLost;

    public bool IsLost => _isLost;

    public void Lose() => _isLost = true;
}
