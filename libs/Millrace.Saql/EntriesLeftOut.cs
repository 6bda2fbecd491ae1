namespace Millrace.Saql;

/// <summary>Entries of reference data that no row can meet: what they are to be equal by failed.</summary>
/// <param name="Count">In all joins with the data together.</param>
/// <param name="First">Why the first of them; null when there is none.</param>
public readonly record struct EntriesLeftOut(long Count, string? First)
{
    public static EntriesLeftOut operator +(EntriesLeftOut some, EntriesLeftOut more) =>
        new(some.Count + more.Count, some.First ?? more.First);
}
