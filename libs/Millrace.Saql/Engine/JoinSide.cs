using Millrace.Saql.Binding;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>The rows that one side of a join keeps, found by hash.</summary>
internal sealed class JoinSide(CarriedSide carried)
{
    private readonly Dictionary<uint, (long First, long Last, int Count)> _chains = [];
    private readonly int[] _slots = [.. carried.Slots];

    public RowLog Rows { get; } = new();

    /// <summary>The values of the row that comes in, or of the one that is read.</summary>
    public Value[] Values { get; } = new Value[carried.Slots.Count];

    /// <summary>The number of the oldest row of the hash; -1 when there is none.</summary>
    public long FirstOf(uint hash) => _chains.TryGetValue(hash, out var chain) ? chain.First : -1;

    /// <summary>Keeps the row whose values are at hand.</summary>
    /// <param name="isFound">It can be looked up; else it only waits.</param>
    public long Add(in RowOrigin origin, int inlet, uint hash, bool isFound, long expiry, bool hasMet)
    {
        var number = Rows.Append(origin, Values);
        ref var row = ref Rows[number];
        (row.Inlet, row.Hash, row.Expiry, row.HasMet) = (inlet, isFound ? hash : 0, expiry, hasMet);
        if (isFound) Link(number, hash);
        return number;
    }

    /// <summary>Takes the oldest rows away as long as nothing can meet them.</summary>
    public void RemoveBefore(long time)
    {
        while (Rows.Count > 0 && Rows[Rows.First].Expiry < time)
        {
            var number = Rows.First;
            ref readonly var row = ref Rows[number];
            if (_chains.TryGetValue(row.Hash, out var chain) && chain.First == number)
            {
                if (chain.Count == 1) _chains.Remove(row.Hash);
                else _chains[row.Hash] = (row.Next, chain.Last, chain.Count - 1);
            }

            Rows.RemoveFirst();
        }
    }

    public void Save(StateWriter writer) => Rows.Save(writer);

    public void Restore(ref StateReader reader, int sources)
    {
        _chains.Clear();
        Rows.Restore(ref reader, sources);
        for (var number = Rows.First; number < Rows.Next; number++)
        {
            var hash = Rows[number].Hash;
            if (hash != 0) Link(number, hash);
        }
    }

    /// <summary>The values at hand become this side's part of the operator's row.</summary>
    public void Put(Value[] row)
    {
        for (var i = 0; i < _slots.Length; i++) row[_slots[i]] = Values[i];
    }

    public void PutNulls(Value[] row)
    {
        foreach (var slot in _slots) row[slot] = Value.Null;
    }

    private void Link(long number, uint hash)
    {
        if (!_chains.TryGetValue(hash, out var chain))
        {
            _chains[hash] = (number, number, 1);
            return;
        }

        Rows[chain.Last].Next = number;
        _chains[hash] = (chain.First, number, chain.Count + 1);
    }
}
