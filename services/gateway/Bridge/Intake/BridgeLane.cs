using Millrace.Gateway.Publishing;

namespace Millrace.Gateway.Bridge.Intake;

/// <summary>
/// A bridge's way into one partition of the telemetry topic, or into the dead-letter topic. Its messages are numbered,
/// and become durable in that order. The numbers are guarded by the intake's lock.
/// </summary>
internal sealed class BridgeLane(BridgeIntake intake, int index) : IPublishOwner
{
    private volatile bool _isStopped;

    public int Index { get; } = index;

    /// <summary>The number of the message that was taken last.</summary>
    public long Taken { get; set; }

    /// <summary>All messages up to this number are durable.</summary>
    public long Durable { get; set; }

    /// <summary>The log failed: nothing more may be taken until the bridge has connected again.</summary>
    public bool IsStopped => _isStopped;

    public void Restart() => _isStopped = false;

    public void OnDurable(int partition, long lastNumber, long firstOffset) => OnDurable(lastNumber);

    /// <summary>All up to this number are durable.</summary>
    public void OnDurable(long lastNumber) => intake.OnDurable(this, lastNumber);

    public void StopPublishing() => _isStopped = true;

    public void OnLogFailed(int partition, LogFailure failure) => intake.OnFailed(this, failure);

    public void OnRoom() => intake.OnRoom();
}
