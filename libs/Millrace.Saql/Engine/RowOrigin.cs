using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>Where the row at hand comes from: what its identity and its failures name.</summary>
internal struct RowOrigin
{
    /// <summary>System.Timestamp(), in ticks.</summary>
    public long Timestamp;

    /// <summary>Index of the source; for a window's row that of its group's first event, like the next two.</summary>
    public int Source;
    public long Offset;
    public int Element;

    /// <summary>The only device that made the row, as text; else null.</summary>
    public Value Device;

    /// <summary>There is no only device because there were several.</summary>
    public bool SeveralDevices;

    /// <summary>The window that made the row; null for a row of an input.</summary>
    public GroupingState? Window;
    public long WindowStart;

    /// <summary>Tells rows of one origin apart that operators made of it; 0 when there was none.</summary>
    public ulong Trail;

    /// <summary>The origin of the nth row that an operator makes of this one.</summary>
    public readonly RowOrigin Derived(int operatorNumber, long ordinal)
    {
        var derived = this;
        derived.Settle();
        derived.Trail = RowTrail.Mix(RowTrail.Mix(derived.Trail, (ulong)operatorNumber + 1), (ulong)ordinal + 1);
        return derived;
    }

    /// <summary>What the window said of the row's identity goes into the trail, so that the row may be kept.</summary>
    public void Settle()
    {
        if (Window is not { } window) return;
        var trail = RowTrail.Mix(RowTrail.Mix(Trail, (ulong)window.OperatorPlan.Number + 1), (ulong)WindowStart);
        Trail = RowTrail.Mix(RowTrail.Mix(trail, (ulong)Timestamp), window.GroupKeyText());
        Window = null;
    }
}

/// <summary>A hash of 64 bits over what made a row.</summary>
internal static class RowTrail
{
    public static ulong Mix(ulong trail, ulong more)
    {
        var mixed = (trail ^ more) + 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    public static ulong Mix(ulong trail, ReadOnlySpan<byte> bytes)
    {
        foreach (var octet in bytes) trail = (trail ^ octet) * 0x100000001B3;
        return Mix(trail, (ulong)bytes.Length);
    }
}
