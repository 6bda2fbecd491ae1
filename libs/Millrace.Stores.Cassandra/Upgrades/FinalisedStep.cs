using Millrace.Stores.Cassandra.Schema;
using Millrace.Stores.Upgrades;

namespace Millrace.Stores.Cassandra.Upgrades;

/// <summary>
/// Whether all versions that may be at work know of a step of the schema. That is asked about now and then, until they
/// do: they will for good.
/// </summary>
internal sealed class FinalisedStep(IUpgradeStore upgrades, Migration step, TimeProvider time)
{
    private static readonly TimeSpan AskInterval = TimeSpan.FromMinutes(1);

    private readonly int _number = Migrations.NumberOf(step);
    private long _askAgainAt = long.MinValue;
    private volatile bool _isFinalised;

    public ValueTask<bool> IsFinalisedAsync(CancellationToken ct) =>
        _isFinalised || time.GetTimestamp() < Volatile.Read(ref _askAgainAt)
            ? new ValueTask<bool>(_isFinalised)
            : AskAsync(ct);

    private async ValueTask<bool> AskAsync(CancellationToken ct)
    {
        var state = await upgrades.ReadAsync(ct).ConfigureAwait(false);
        if (state.Finalised >= _number) return _isFinalised = true;
        Volatile.Write(ref _askAgainAt,
            time.GetTimestamp() + (long)(AskInterval.TotalSeconds * time.TimestampFrequency));
        return _isFinalised;
    }
}
