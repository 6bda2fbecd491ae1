using Millrace.Saql.Binding;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>One side of a join: the values at hand, and the rows that it keeps.</summary>
internal sealed class JoinSide
{
    private readonly RowChunks _chunks = new();
    private readonly int[] _slots;

    public JoinSide(CarriedSide carried)
    {
        _slots = [.. carried.Slots];
        Values = new Value[_slots.Length];
        Kept = NewRows();
    }

    /// <summary>The values of the row that comes in, or of the one that is read.</summary>
    public Value[] Values { get; }

    /// <summary>The rows of the timeline at hand.</summary>
    public JoinRows Kept { get; set; }

    public RowLog Rows => Kept.Log;

    public JoinRows NewRows() => new(_chunks);

    /// <summary>The values at hand become this side's part of the operator's row.</summary>
    public void Put(Value[] row)
    {
        for (var i = 0; i < _slots.Length; i++) row[_slots[i]] = Values[i];
    }

    public void PutNulls(Value[] row)
    {
        foreach (var slot in _slots) row[slot] = Value.Null;
    }

    /// <summary>Keeps the row whose values are at hand.</summary>
    /// <param name="isFound">It can be looked up; else it only waits.</param>
    public long Add(in RowOrigin origin, int inlet, uint hash, bool isFound, long expiry, bool hasMet) =>
        Kept.Add(origin, Values, inlet, isFound ? hash : 0, expiry, hasMet);
}

/// <summary>The rows that one side of a join keeps, found by hash.</summary>
internal sealed class JoinRows(RowChunks chunks)
{
    private readonly Dictionary<uint, (long First, long Last, int Count)> _chains = [];

    public RowLog Log { get; } = new(chunks);

    /// <summary>The number of the oldest row of the hash; -1 when there is none.</summary>
    public long FirstOf(uint hash) => _chains.TryGetValue(hash, out var chain) ? chain.First : -1;

    /// <param name="hash">0 when the row cannot be looked up and only waits.</param>
    public long Add(
        in RowOrigin origin, ReadOnlySpan<Value> values, int inlet, uint hash, long expiry, bool hasMet)
    {
        var number = Log.Append(origin, values);
        ref var row = ref Log[number];
        (row.Inlet, row.Hash, row.Expiry, row.HasMet) = (inlet, hash, expiry, hasMet);
        if (hash != 0) Link(number, hash);
        return number;
    }

    /// <summary>Takes the oldest rows away as long as nothing can meet them.</summary>
    public void RemoveBefore(long time)
    {
        while (Log.Count > 0 && Log[Log.First].Expiry < time)
        {
            var number = Log.First;
            ref readonly var row = ref Log[number];
            if (_chains.TryGetValue(row.Hash, out var chain) && chain.First == number)
            {
                if (chain.Count == 1) _chains.Remove(row.Hash);
                else _chains[row.Hash] = (row.Next, chain.Last, chain.Count - 1);
            }

            Log.RemoveFirst();
        }
    }

    public void Save(StateWriter writer) => Log.Save(writer);

    public void Restore(ref StateReader reader, int sources)
    {
        _chains.Clear();
        Log.Restore(ref reader, sources);
        for (var number = Log.First; number < Log.Next; number++)
        {
            var hash = Log[number].Hash;
            if (hash != 0) Link(number, hash);
        }
    }

    private void Link(long number, uint hash)
    {
        if (!_chains.TryGetValue(hash, out var chain))
        {
            _chains[hash] = (number, number, 1);
            return;
        }

        Log[chain.Last].Next = number;
        _chains[hash] = (chain.First, number, chain.Count + 1);
    }
}
