using Millrace.Stores.Upgrades;

namespace Millrace.Stores.Sqlite;

/// <summary>The files belong to one version: the first that opens them brings them to its own schema.</summary>
internal sealed class SqliteUpgradeStore : IUpgradeStore
{
    private static readonly UpgradeState Own =
        new(Schemas.Platform.Length, Schemas.Platform.Length, Schemas.Platform.Length);

    public int Known => Own.Known;

    public ValueTask<UpgradeState> ReadAsync(CancellationToken ct) => new(Own);

    public ValueTask<UpgradeState> FinaliseAsync(CancellationToken ct) => new(Own);
}
