using System.Diagnostics.CodeAnalysis;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>
/// A sliding window: whenever the rows of a group change, because one comes in or goes out, the group makes a row of
/// those of the last stretch. All changes of one instant make one row.
/// </summary>
internal sealed class SlidingState : GroupingState
{
    private readonly long _size;
    private readonly RowChunks _chunks = new();
    private readonly Spares<KeyChain> _spares = new();
    private readonly GroupTable _group;
    private SlidingMemory _kept;

    public SlidingState(WindowPlan plan, EngineContext context) : base(plan, context)
    {
        _size = plan.Spec.Size;
        _group = NewTable();
        Enter(NewMemory());
    }

    public override Memory NewMemory() => new SlidingMemory(new KeyedLog(_chunks, _spares));

    [MemberNotNull(nameof(_kept))]
    public override void Enter(Memory memory)
    {
        base.Enter(memory);
        _kept = (SlidingMemory)memory;
    }

    public override void Add(WindowInletState inlet)
    {
        if (!TryPrepare(inlet)) return;
        _kept.EnteredAt = Frame.Origin.Timestamp;
        var chain = AppendPrepared(inlet, _kept.Log);
        Change(chain, _kept.EnteredAt);
        UpdateNextDue();
    }

    public override void CloseNext()
    {
        var now = NextDue;
        var (log, changed) = (_kept.Log, _kept.Changed);
        while (log.Rows.Count > 0 && log.FirstTime + _size <= now) Change(RemoveFirst(log), now);
        changed.RemoveAll(chain => chain.Count == 0);
        changed.Sort(static (a, b) => a.First.CompareTo(b.First));
        foreach (var chain in changed) Emit(chain, now);
        changed.Clear();
        _kept.EnteredAt = long.MaxValue;
        UpdateNextDue();
    }

    public override void Save(StateWriter writer)
    {
        writer.Write(_kept.EnteredAt);
        _kept.Log.Save(writer);
    }

    public override void Restore(ref StateReader reader)
    {
        var log = _kept.Log;
        _kept.Changed.Clear();
        _kept.EnteredAt = reader.ReadInt64();
        log.Restore(ref reader, Context.Sources.Length);
        RestoreTotals(log);
        for (var number = log.Rows.First; number < log.Rows.Next; number++)
        {
            if (log.Rows[number].Time == _kept.EnteredAt) Change(log.ChainOf(number), _kept.EnteredAt);
        }

        UpdateNextDue();
    }

    private void Change(KeyChain chain, long now)
    {
        if (chain.LookedAt == now) return;
        chain.LookedAt = now;
        _kept.Changed.Add(chain);
    }

    private void Emit(KeyChain chain, long now)
    {
        var mark = Frame.Mark();
        _group.Clear();
        if (!TryFill(_kept.Log, chain, _group))
        {
            for (var number = chain.First; number >= 0; number = _kept.Log.Rows[number].Next)
                AddStored(_kept.Log, number, _group);
        }

        EmitAll(_group, now - _size, now);
        Frame.ComeBack(mark);
    }

    private void UpdateNextDue() => NextDue = Math.Min(
        _kept.EnteredAt, _kept.Log.Rows.Count == 0 ? long.MaxValue : _kept.Log.FirstTime + _size);

    private sealed class SlidingMemory(KeyedLog log) : Memory
    {
        public KeyedLog Log => log;

        public List<KeyChain> Changed { get; } = [];

        /// <summary>When the rows came that have not been answered yet; long.MaxValue when there are none.</summary>
        public long EnteredAt { get; set; } = long.MaxValue;

        public override bool IsWaiting => log.Rows.Count > 0;

        public override long StateBytes => log.StateBytes;

        public override bool IsEmptyAt(long time) => log.Rows.Count == 0;
    }
}
