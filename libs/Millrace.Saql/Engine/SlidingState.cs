using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>
/// A sliding window: whenever the rows of a group change, because one comes in or goes out, the group makes a row of
/// those of the last stretch. All changes of one instant make one row.
/// </summary>
internal sealed class SlidingState : GroupingState
{
    private readonly long _size;
    private readonly KeyedLog _log = new();
    private readonly List<KeyChain> _changed = [];
    private readonly GroupTable _group;

    /// <summary>When the rows came that have not been answered yet; long.MaxValue when there are none.</summary>
    private long _enteredAt = long.MaxValue;

    public SlidingState(WindowPlan plan, EngineContext context) : base(plan, context)
    {
        _size = plan.Spec.Size;
        _group = NewTable();
    }

    public override bool IsWaiting => _log.Rows.Count > 0;

    public override long StateBytes => _log.Rows.StateBytes + Totals.StateBytes;

    public override void Add(WindowInletState inlet)
    {
        if (!TryPrepare(inlet)) return;
        _enteredAt = Frame.Origin.Timestamp;
        var chain = AppendPrepared(inlet, _log);
        Change(chain, _enteredAt);
        UpdateNextDue();
    }

    public override void CloseNext()
    {
        var now = NextDue;
        while (_log.Rows.Count > 0 && _log.FirstTime + _size <= now) Change(RemoveFirst(_log), now);
        _changed.RemoveAll(chain => chain.Count == 0);
        _changed.Sort(static (a, b) => a.First.CompareTo(b.First));
        foreach (var chain in _changed) Emit(chain, now);
        _changed.Clear();
        _enteredAt = long.MaxValue;
        UpdateNextDue();
    }

    public override void Save(StateWriter writer)
    {
        writer.Write(_enteredAt);
        _log.Save(writer);
    }

    public override void Restore(ref StateReader reader)
    {
        _changed.Clear();
        _enteredAt = reader.ReadInt64();
        _log.Restore(ref reader, Context.Sources.Length);
        RestoreTotals(_log);
        for (var number = _log.Rows.First; number < _log.Rows.Next; number++)
        {
            if (_log.Rows[number].Time == _enteredAt) Change(_log.ChainOf(number), _enteredAt);
        }

        UpdateNextDue();
    }

    private void Change(KeyChain chain, long now)
    {
        if (chain.LookedAt == now) return;
        chain.LookedAt = now;
        _changed.Add(chain);
    }

    private void Emit(KeyChain chain, long now)
    {
        var mark = Frame.Mark();
        _group.Clear();
        if (!TryFill(_log, chain, _group))
        {
            for (var number = chain.First; number >= 0; number = _log.Rows[number].Next)
                AddStored(_log, number, _group);
        }

        EmitAll(_group, now - _size, now);
        Frame.ComeBack(mark);
    }

    private void UpdateNextDue() => NextDue =
        Math.Min(_enteredAt, _log.Rows.Count == 0 ? long.MaxValue : _log.FirstTime + _size);
}
