namespace Millrace.TestKit;

/// <summary>The system's clock, moved by as much as a test says.</summary>
public sealed class ShiftedTime : TimeProvider
{
    private long _shiftTicks;

    public void Move(TimeSpan by) => Interlocked.Add(ref _shiftTicks, by.Ticks);

    public override DateTimeOffset GetUtcNow() =>
        System.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _shiftTicks));
}
