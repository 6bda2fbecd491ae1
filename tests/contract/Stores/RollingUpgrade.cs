using Millrace.Stores.Upgrades;

namespace Millrace.Contract.Tests.Stores;

/// <summary>An upgrade that is finalised for as many steps of the schema as a test says.</summary>
internal sealed class RollingUpgrade : IUpgradeStore
{
    public int Finalised { get; init; }

    public int Known => int.MaxValue;

    public ValueTask<UpgradeState> ReadAsync(CancellationToken ct) => new(new UpgradeState(Known, Known, Finalised));

    public ValueTask<UpgradeState> FinaliseAsync(CancellationToken ct) => throw new NotSupportedException();
}
