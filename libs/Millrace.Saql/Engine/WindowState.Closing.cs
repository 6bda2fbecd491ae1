using System.Runtime.CompilerServices;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>The end of a window: panes are put together, and each group makes a row.</summary>
internal sealed partial class WindowState
{
    /// <summary>Ends the window that is due: its rows go on, panes that no later window needs go.</summary>
    public void CloseNext()
    {
        var end = NextDue;
        var spec = _plan.Spec;
        var table = spec.IsTumbling ? _panes[0].Table : MergedUpTo(end);
        var saved = _frame.Origin;
        var slots = _frame.Slots;
        for (var group = 0; group < table.Count; group++) Emit(table, group, end);
        _frame.Origin = saved;
        _frame.Slots = slots;
        _lastClosed = end;
        while (_panes.Count > 0 && (spec.IsTumbling || _panes[0].End - spec.Pane < end + spec.Hop - spec.Size))
        {
            _panes[0].Table.Clear();
            _spare.Push(_panes[0].Table);
            _panes.RemoveAt(0);
            if (spec.IsTumbling) break;
        }

        UpdateNextDue();
    }

    private GroupTable MergedUpTo(long end)
    {
        _merged ??= new GroupTable(_wordsPerGroup);
        _merged.Clear();
        foreach (var pane in _panes)
        {
            if (pane.End > end) break;
            Merge(pane.Table, _merged);
        }

        return _merged;
    }

    private void Merge(GroupTable from, GroupTable into)
    {
        if (_groupMap.Length < from.Count) _groupMap = new int[from.Count * 2];
        for (var i = 0; i < from.Count; i++)
        {
            var group = from[i];
            var index = into.FindOrAdd(from.Key(i), group.KeyTag, out var isNew);
            _groupMap[i] = index;
            if (isNew) CopyGroup(from, i, into, index);
            else if (into[index].DeviceLength != group.DeviceLength
                || !into.Device(index).SequenceEqual(from.Device(i)))
                into[index].DeviceLength = GroupTable.SeveralDevices;
            ref var otherWords = ref from.FirstWord(i);
            ref var words = ref into.FirstWord(index);
            foreach (ref readonly var accumulator in _accumulators.AsSpan())
                accumulator.Merge(ref words, into, ref otherWords, from);
        }

        if (from.Distinct.Count > 0) MergeDistinct(from, into);
    }

    private void MergeDistinct(GroupTable from, GroupTable into) =>
        into.Distinct.AddAll(from.Distinct, _groupMap, (group, accumulator) =>
            Unsafe.Add(ref into.FirstWord(group), _accumulators[accumulator].FirstWord)++);

    private void CopyGroup(GroupTable from, int source, GroupTable into, int target)
    {
        var group = from[source];
        var length = ShownLength(from, group.ShownStart);
        var shown = into.Keep(from.Bytes.AsSpan(group.ShownStart, length));
        var device = into.Keep(from.Device(source));
        ref var copy = ref into[target];
        copy.Source = group.Source;
        copy.Offset = group.Offset;
        copy.Element = group.Element;
        copy.ShownStart = shown;
        copy.DeviceStart = device;
        copy.DeviceLength = group.DeviceLength;
    }

    private int ShownLength(GroupTable table, int start)
    {
        var at = start;
        for (var i = 0; i < _plan.KeyCount; i++) ValueCodec.Read(table.Bytes, ref at);
        return at - start;
    }

    private void Emit(GroupTable table, int index, long end)
    {
        ref readonly var group = ref table[index];
        var slots = _root.Slots;
        var at = group.ShownStart;
        for (var i = 0; i < _plan.KeyCount; i++) slots[i] = ValueCodec.Read(table.Bytes, ref at);
        _frame.ClearFailure();
        _frame.NextRow();
        _frame.Origin = new RowOrigin
        {
            Timestamp = end,
            Source = group.Source,
            Offset = group.Offset,
            Element = group.Element,
            Device = group.DeviceLength < 0 ? Value.Null
                : Value.OfText(table.Bytes, group.DeviceStart, group.DeviceLength),
            SeveralDevices = group.DeviceLength == GroupTable.SeveralDevices,
            Window = this,
            WindowStart = end - _plan.Spec.Size,
        };
        ref var words = ref table.FirstWord(index);
        for (var i = 0; i < _plan.Results.Count; i++)
        {
            var result = _plan.Results[i];
            slots[_plan.KeyCount + i] = _accumulators[result.Accumulator].Result(result.Kind, ref words, table, _frame);
        }

        var mark = _frame.Arena.Used;
        if (_frame.Failure is not null) _context.ReportFailure();
        else _root.Dispatch();
        _frame.Arena.WindBack(mark);
    }
}
