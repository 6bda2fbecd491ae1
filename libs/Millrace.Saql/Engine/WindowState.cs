using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>
/// The open panes of a tumbling, hopping or snapshot window and their groups. A tumbling window is one pane; a hopping
/// one is put together from its panes when it ends.
/// </summary>
internal sealed class WindowState(WindowPlan plan, EngineContext context) : GroupingState(plan, context)
{
    private readonly WindowSpec _spec = plan.Spec;
    private readonly List<Pane> _panes = [];
    private readonly Stack<GroupTable> _spare = new();
    private GroupTable? _merged;
    private long _lastClosed = long.MinValue;

    /// <summary>The pane that rows come into; long.MinValue when none is open.</summary>
    private long _currentEnd = long.MinValue;
    private GroupTable? _current;

    public override bool IsWaiting => _panes.Count > 0;

    public override long StateBytes
    {
        get
        {
            var bytes = 0L;
            foreach (var pane in _panes) bytes += pane.Table.StateBytes;
            return bytes;
        }
    }

    public override void Add(WindowInletState inlet)
    {
        if (!TryPrepare(inlet)) return;
        if (Frame.Origin.Timestamp > _currentEnd && !Open(Frame.Origin.Timestamp)) return;
        AddPrepared(inlet, _current!);
    }

    /// <summary>Ends the window that is due: its rows go on, panes that no later window needs go.</summary>
    public override void CloseNext()
    {
        var end = NextDue;
        EmitAll(_spec.IsTumbling ? _panes[0].Table : MergedUpTo(end), end - _spec.Size, end);
        _lastClosed = end;
        while (_panes.Count > 0 && (_spec.IsTumbling || _panes[0].End - _spec.Pane < end + _spec.Hop - _spec.Size))
        {
            _panes[0].Table.Clear();
            _spare.Push(_panes[0].Table);
            _panes.RemoveAt(0);
            if (_spec.IsTumbling) break;
        }

        UpdateNextDue();
    }

    public override void Save(StateWriter writer)
    {
        writer.Write(_lastClosed);
        writer.Write(_panes.Count);
        foreach (var pane in _panes)
        {
            writer.Write(pane.End);
            pane.Table.Save(writer);
        }
    }

    public override void Restore(ref StateReader reader)
    {
        _lastClosed = reader.ReadInt64();
        _panes.Clear();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var pane = new Pane(reader.ReadInt64(), NewTable());
            pane.Table.Restore(ref reader);
            _panes.Add(pane);
            (_currentEnd, _current) = (pane.End, pane.Table);
        }

        UpdateNextDue();
    }

    private GroupTable MergedUpTo(long end)
    {
        _merged ??= NewTable();
        _merged.Clear();
        foreach (var pane in _panes)
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
        _current = _spare.Count > 0 ? _spare.Pop() : NewTable();
        _currentEnd = _spec.PaneEnd(time);
        _panes.Add(new Pane(_currentEnd, _current));
        UpdateNextDue();
        return true;
    }

    private void UpdateNextDue()
    {
        var due = long.MaxValue;
        if (_panes.Count == 0) _currentEnd = long.MinValue;
        else
        {
            due = _spec.FirstEnd(_panes[0].End);
            if (_lastClosed != long.MinValue && !_spec.IsSnapshot) due = Math.Max(due, _lastClosed + _spec.Hop);
        }

        NextDue = due;
    }

    private readonly record struct Pane(long End, GroupTable Table);
}
