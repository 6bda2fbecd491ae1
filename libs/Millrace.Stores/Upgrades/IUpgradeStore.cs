namespace Millrace.Stores.Upgrades;

/// <summary>How far the stores are on the way from one version of the platform to the next.</summary>
/// <param name="Schema">The newest step of the schema that the stores have had.</param>
/// <param name="Known">The newest step that this version knows.</param>
/// <param name="Finalised">Versions that do not know this step are refused; 0 for none yet.</param>
public sealed record UpgradeState(int Schema, int Known, int Finalised)
{
    /// <summary>No older version can be at work, nor come back.</summary>
    public bool IsFinalised => Finalised >= Known;
}

/// <summary>
/// Versions that share the stores: an older one works with what a newer one has added, until the upgrade is finalised.
/// </summary>
public interface IUpgradeStore
{
    /// <summary>The newest step of the schema that this version knows.</summary>
    int Known { get; }

    ValueTask<UpgradeState> ReadAsync(CancellationToken ct = default);

    /// <summary>
    /// Refuses older versions from now on, and takes the steps that waited for it. ST-0011 where this version is the
    /// older one.
    /// </summary>
    ValueTask<UpgradeState> FinaliseAsync(CancellationToken ct = default);
}
