namespace Millrace.Saql.Engine;

/// <summary>What a function keeps of each partition.</summary>
/// <param name="duration">For how long.</param>
internal sealed class TableMemory<TEntry>(Spares<TEntry> spares, long duration) : Memory
    where TEntry : KeyEntry, new()
{
    public KeyTable<TEntry> Entries { get; } = new(spares);

    public override long StateBytes => Entries.StateBytes;

    public override bool IsEmptyAt(long time)
    {
        Entries.RemoveUpTo(time - duration);
        return Entries.Count == 0;
    }
}
