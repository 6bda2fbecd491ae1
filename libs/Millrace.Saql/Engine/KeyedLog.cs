using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>The rows of one key that are kept, as numbers of a log.</summary>
internal sealed class KeyChain
{
    public byte[] Key { get; private set; } = [];

    /// <summary>What the owner of the key says of its bytes.</summary>
    public int Tag { get; private set; }

    public long First { get; set; }

    public long Last { get; set; }

    public int Count { get; set; }

    /// <summary>The row before the last one; -1 when there is none.</summary>
    public long BeforeLast { get; set; }

    /// <summary>What is kept of the rows as a whole, for each aggregate; good while it has totals.</summary>
    public RunningTotal[]? Totals { get; set; }

    public bool HasTotals { get; set; }

    /// <summary>With totals: the last row that is of another device than the one before it.</summary>
    public long DeviceChangedAt { get; set; }

    /// <summary>For the owner: when it last looked at the chain.</summary>
    public long LookedAt { get; set; }

    /// <summary>Begins anew, without rows.</summary>
    public void Name(ReadOnlySpan<byte> key, int tag)
    {
        if (Key.Length == key.Length) key.CopyTo(Key);
        else Key = key.ToArray();
        (Tag, Count, LookedAt) = (tag, 0, long.MinValue);
        HasTotals = false;
    }
}

/// <summary>Rows of the last stretch of time, found by key.</summary>
/// <param name="chunks">Where their bytes lie, perhaps with those of other logs.</param>
/// <param name="spares">Chains of keys that are gone, perhaps of other logs.</param>
internal sealed class KeyedLog(RowChunks chunks, Spares<KeyChain> spares)
{
    private readonly Dictionary<byte[], KeyChain> _chains = new(KeyBytes.Comparer);

    /// <summary>Values before a row's own: its key and the key's tag.</summary>
    public const int HeadValues = 2;

    public RowLog Rows { get; } = new(chunks);

    /// <summary>About how much the totals of its chains are.</summary>
    public long TotalBytes { get; set; }

    public long StateBytes => Rows.StateBytes + TotalBytes;

    public long FirstTime => Rows.Count == 0 ? long.MaxValue : Rows[Rows.First].Time;

    public KeyChain? Find(ReadOnlySpan<byte> key) =>
        _chains.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var chain) ? chain : null;

    /// <summary>Keeps a row under its key, which goes before the row's values.</summary>
    public KeyChain Append(
        ReadOnlySpan<byte> key, int tag, in RowOrigin origin, Span<Value> values, ReadOnlySpan<Value> moreValues)
    {
        var chain = Chain(key, tag);
        values[0] = Value.OfText(chain.Key);
        values[1] = Value.Of((long)tag);
        Link(chain, Rows.Append(origin, values, moreValues));
        return chain;
    }

    /// <summary>
    /// Takes the oldest row away; gives its chain, which may be empty now, and is then good until the next row is kept.
    /// </summary>
    public KeyChain RemoveFirst()
    {
        var number = Rows.First;
        var chain = ChainOf(number);
        chain.First = Rows[number].Next;
        if (--chain.Count == 0)
        {
            _chains.Remove(chain.Key);
            spares.Put(chain.Key.Length, chain);
        }

        Rows.RemoveFirst();
        return chain;
    }

    public KeyChain ChainOf(long number)
    {
        var key = default(Head);
        Rows.Read(number, key);
        return Find(key[0].Utf8)!;
    }

    public void Save(StateWriter writer) => Rows.Save(writer);

    public void Restore(ref StateReader reader, int sources)
    {
        _chains.Clear();
        Rows.Restore(ref reader, sources);
        var key = default(Head);
        for (var number = Rows.First; number < Rows.Next; number++)
        {
            Rows.Read(number, key);
            Link(Chain(key[0].Utf8, (int)key[1].Integer), number);
        }
    }

    private KeyChain Chain(ReadOnlySpan<byte> key, int tag)
    {
        if (Find(key) is { } known) return known;
        var chain = spares.TryTake(key.Length, out var spare) ? spare : new KeyChain();
        chain.Name(key, tag);
        return _chains[chain.Key] = chain;
    }

    private void Link(KeyChain chain, long number)
    {
        chain.BeforeLast = chain.Count == 0 ? -1 : chain.Last;
        if (chain.Count++ == 0) chain.First = number;
        else Rows[chain.Last].Next = number;
        chain.Last = number;
    }

    /// <summary>The values before a row's own: its key and the key's tag.</summary>
    [System.Runtime.CompilerServices.InlineArray(HeadValues)]
    internal struct Head
    {
        private Value _first;
    }
}
