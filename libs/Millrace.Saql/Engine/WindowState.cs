using System.Diagnostics.CodeAnalysis;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>
/// The open panes of a tumbling, hopping or snapshot window and their groups. A tumbling window is one pane; a hopping
/// one is put together from its panes when it ends.
/// </summary>
internal sealed class WindowState : GroupingState
{
    private readonly WindowSpec _spec;
    private readonly Stack<GroupTable> _spare = new();
    private GroupTable? _merged;
    private WindowMemory _kept;

    public WindowState(WindowPlan plan, EngineContext context) : base(plan, context)
    {
        _spec = plan.Spec;
        Enter(new WindowMemory());
    }

    public override Memory NewMemory() => new WindowMemory();

    [MemberNotNull(nameof(_kept))]
    public override void Enter(Memory memory)
    {
        base.Enter(memory);
        _kept = (WindowMemory)memory;
    }

    public override void Add(WindowInletState inlet)
    {
        if (!TryPrepare(inlet)) return;
        if (Frame.Origin.Timestamp > _kept.CurrentEnd && !Open(Frame.Origin.Timestamp)) return;
        AddPrepared(inlet, _kept.Current!);
    }

    /// <summary>Ends the window that is due: its rows go on, panes that no later window needs go.</summary>
    public override void CloseNext()
    {
        var end = NextDue;
        var panes = _kept.Panes;
        EmitAll(_spec.IsTumbling ? panes[0].Table : MergedUpTo(end), end - _spec.Size, end);
        _kept.LastClosed = end;
        while (panes.Count > 0 && (_spec.IsTumbling || panes[0].End - _spec.Pane < end + _spec.Hop - _spec.Size))
        {
            panes[0].Table.Clear();
            _spare.Push(panes[0].Table);
            panes.RemoveAt(0);
            if (_spec.IsTumbling) break;
        }

        UpdateNextDue();
    }

    public override void Save(StateWriter writer)
    {
        writer.Write(_kept.LastClosed);
        writer.Write(_kept.Panes.Count);
        foreach (var pane in _kept.Panes)
        {
            writer.Write(pane.End);
            pane.Table.Save(writer);
        }
    }

    public override void Restore(ref StateReader reader)
    {
        _kept.LastClosed = reader.ReadInt64();
        _kept.Panes.Clear();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var pane = new Pane(reader.ReadInt64(), NewTable());
            pane.Table.Restore(ref reader);
            _kept.Panes.Add(pane);
            (_kept.CurrentEnd, _kept.Current) = (pane.End, pane.Table);
        }

        UpdateNextDue();
    }

    private GroupTable MergedUpTo(long end)
    {
        _merged ??= NewTable();
        _merged.Clear();
        foreach (var pane in _kept.Panes)
        {
            if (pane.End > end) break;
            Merge(pane.Table, _merged);
        }

        return _merged;
    }

    /// <summary>
    /// Opens the pane of a time behind the current one. False when the time lies in no window, as it may when the hop
    /// is longer than the size.
    /// </summary>
    private bool Open(long time)
    {
        if (time <= _spec.FirstEnd(time) - _spec.Size && !_spec.IsSnapshot) return false;
        _kept.Current = _spare.Count > 0 ? _spare.Pop() : NewTable();
        _kept.CurrentEnd = _spec.PaneEnd(time);
        _kept.Panes.Add(new Pane(_kept.CurrentEnd, _kept.Current));
        UpdateNextDue();
        return true;
    }

    private void UpdateNextDue()
    {
        var due = long.MaxValue;
        if (_kept.Panes.Count == 0) (_kept.CurrentEnd, _kept.Current) = (long.MinValue, null);
        else
        {
            due = _spec.FirstEnd(_kept.Panes[0].End);
            if (_kept.LastClosed != long.MinValue && !_spec.IsSnapshot)
                due = Math.Max(due, _kept.LastClosed + _spec.Hop);
        }

        NextDue = due;
    }

    private readonly record struct Pane(long End, GroupTable Table);

    private sealed class WindowMemory : Memory
    {
        public List<Pane> Panes { get; } = new(1);

        public long LastClosed { get; set; } = long.MinValue;

        /// <summary>The end of the pane that rows come into; long.MinValue when none is open.</summary>
        public long CurrentEnd { get; set; } = long.MinValue;

        public GroupTable? Current { get; set; }

        public override bool IsWaiting => Panes.Count > 0;

        public override long StateBytes
        {
            get
            {
                var bytes = 0L;
                foreach (var pane in Panes) bytes += pane.Table.StateBytes;
                return bytes;
            }
        }

        public override bool IsEmptyAt(long time) => Panes.Count == 0;
    }
}
