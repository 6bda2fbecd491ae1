using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// The aggregates of the rows of each key, kept while rows come and go, where all of them can be. Only keys of many
/// rows have them: few rows are looked at as fast as that.
/// </summary>
/// <param name="slots">Where the accumulators' arguments stand among a row's values.</param>
/// <param name="comparesDevices">Whether rows of one key may be of several devices.</param>
internal sealed class RunningTotals(Accumulator[] accumulators, int[] slots, bool comparesDevices)
{
    /// <summary>
    /// A key with more rows is answered from its totals. It depends on nothing else, so that an answer does not depend
    /// on when the process was started.
    /// </summary>
    private const int RowsMin = 32;

    private readonly bool _isUsed = Array.TrueForAll(accumulators, one => RunningTotal.IsFor(one.Kind));

    /// <summary>A row was kept as the last of its chain.</summary>
    /// <param name="stored">Its values; they may be others afterwards.</param>
    public void Added(KeyedLog log, KeyChain chain, Value[] stored)
    {
        if (!_isUsed) return;
        if (chain.HasTotals) Add(log, chain, chain.Last, chain.BeforeLast, stored);
        else if (chain.Count > RowsMin) Make(log, chain, stored);
    }

    /// <summary>Takes the oldest row away, from its chain's totals too.</summary>
    public KeyChain RemoveFirst(KeyedLog log, Value[] stored)
    {
        if (!_isUsed) return log.RemoveFirst();
        var row = log.Rows.First;
        log.Rows.Read(row, stored);
        var chain = log.RemoveFirst();
        if (!chain.HasTotals) return chain;
        for (var i = 0; i < accumulators.Length; i++) chain.Totals![i].Remove(row, ArgumentOf(i, stored));
        if (chain.Count >= RowsMin / 2) return chain;
        foreach (var total in chain.Totals!) log.TotalBytes -= total.Bytes;
        chain.HasTotals = false;
        return chain;
    }

    /// <summary>After the rows of a state were restored.</summary>
    public void Restore(KeyedLog log, Value[] stored)
    {
        log.TotalBytes = 0;
        if (!_isUsed) return;
        for (var row = log.Rows.First; row < log.Rows.Next; row++)
        {
            if (log.ChainOf(row) is { HasTotals: false, Count: > RowsMin } chain) Make(log, chain, stored);
        }
    }

    /// <summary>
    /// Gives a group without words of its own those of a chain; false when its rows have to be looked at.
    /// </summary>
    public bool TryFill(KeyChain chain, ref long words)
    {
        if (!chain.HasTotals || chain.Count <= RowsMin) return false;
        foreach (var total in chain.Totals!)
        {
            if (!total.IsKnown) return false;
        }

        for (var i = 0; i < accumulators.Length; i++) chain.Totals[i].Fill(accumulators[i], ref words);
        return true;
    }

    private void Make(KeyedLog log, KeyChain chain, Value[] stored)
    {
        chain.Totals ??= [.. accumulators.Select(one => new RunningTotal(one.Kind))];
        foreach (var total in chain.Totals)
        {
            total.Clear();
            log.TotalBytes += total.Bytes;
        }

        (chain.HasTotals, chain.DeviceChangedAt) = (true, -1);
        var before = -1L;
        for (var row = chain.First; row >= 0; row = log.Rows[row].Next)
        {
            log.Rows.Read(row, stored);
            Add(log, chain, row, before, stored);
            before = row;
        }
    }

    private void Add(KeyedLog log, KeyChain chain, long row, long before, Value[] stored)
    {
        if (comparesDevices && before >= 0
            && !IsOfOneDevice(log.Rows.Read(before, default), log.Rows.Read(row, default)))
            chain.DeviceChangedAt = row;
        for (var i = 0; i < accumulators.Length; i++)
        {
            var total = chain.Totals![i];
            var held = total.Bytes;
            total.Add(row, ArgumentOf(i, stored));
            log.TotalBytes += total.Bytes - held;
        }
    }

    private Value ArgumentOf(int accumulator, Value[] stored) =>
        accumulators[accumulator].Argument is >= 0 and var argument ? stored[slots[argument]] : Value.Null;

    private static bool IsOfOneDevice(in RowOrigin one, in RowOrigin other) =>
        !one.SeveralDevices && !other.SeveralDevices && one.Device.IsNull == other.Device.IsNull
        && (one.Device.IsNull || one.Device.Utf8.SequenceEqual(other.Device.Utf8));
}
