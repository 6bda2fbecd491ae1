using Millrace.Stores.Upgrades;

namespace Millrace.StreamProcessor.Tests;

/// <summary>An upgrade that is finalised when a test says so.</summary>
internal sealed class FinishableUpgrade : IUpgradeStore
{
    public bool IsFinalised { get; set; }

    public int Known => 7;

    public ValueTask<UpgradeState> ReadAsync(CancellationToken ct) =>
        new(new UpgradeState(Known, Known, IsFinalised ? Known : Known - 1));

    public ValueTask<UpgradeState> FinaliseAsync(CancellationToken ct) => throw new NotSupportedException();
}
