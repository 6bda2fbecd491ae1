using System.Runtime.CompilerServices;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>Groups to rows, and groups of several tables to those of one.</summary>
internal abstract partial class GroupingState
{
    private int[] _groupMap = new int[16];

    /// <summary>Makes a row of each group of the table, in order of their first events.</summary>
    protected void EmitAll(GroupTable table, long start, long end, ulong trail = 0)
    {
        var mark = Frame.Mark();
        for (var group = 0; group < table.Count; group++) Emit(table, group, start, end, trail);
        Frame.ComeBack(mark);
    }

    protected void Merge(GroupTable from, GroupTable into)
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
        for (var i = 0; i < Plan.KeyCount; i++) ValueCodec.Read(table.Bytes, ref at);
        return at - start;
    }

    private void Emit(GroupTable table, int index, long start, long end, ulong trail)
    {
        ref readonly var group = ref table[index];
        var slots = Root.Slots;
        var at = group.ShownStart;
        for (var i = 0; i < Plan.KeyCount; i++) slots[i] = ValueCodec.Read(table.Bytes, ref at);
        Frame.ClearFailure();
        Frame.NextRow();
        Frame.Origin = new RowOrigin
        {
            Timestamp = end,
            Source = group.Source,
            Offset = group.Offset,
            Element = group.Element,
            Device = group.DeviceLength < 0 ? Value.Null
                : Value.OfText(table.Bytes, group.DeviceStart, group.DeviceLength),
            SeveralDevices = group.DeviceLength == GroupTable.SeveralDevices,
            Window = this,
            WindowStart = start,
            Trail = trail,
        };
        var mark = Frame.Arena.Used;
        ref var words = ref table.FirstWord(index);
        for (var i = 0; i < Plan.Results.Count; i++)
        {
            var result = Plan.Results[i];
            slots[Plan.KeyCount + i] = _accumulators[result.Accumulator].Result(result, ref words, table, Frame);
        }

        if (Frame.Failure is not null) Context.ReportFailure();
        else Root.Dispatch();
        Frame.Arena.WindBack(mark);
    }
}
