namespace Millrace.Archiver.Rows;

/// <summary>
/// The order of rows in files: by hour, device and time. Rows come in the order of the log, so two stable counting
/// passes nearly do it; only where a device's times do not rise is there something to sort.
/// </summary>
internal sealed class RowOrder
{
    private int[] _order = [];
    private int[] _scratch = [];
    private int[] _starts = [];

    /// <summary>Row numbers in order, and where each hour slot of the buffer begins (and the last ends).</summary>
    public (int[] Order, int[] SlotStarts) Sort(RowBuffer buffer)
    {
        var rows = buffer.Rows;
        if (_order.Length < rows.Length)
        {
            _order = new int[rows.Length];
            _scratch = new int[rows.Length];
        }

        ByDevice(rows, buffer.Devices.Ranks());
        var slotStarts = BySlot(rows, buffer.Hours.Count);
        RepairTimes(rows);
        return (_order, slotStarts);
    }

    private void ByDevice(ReadOnlySpan<BufferedRow> rows, ReadOnlySpan<int> ranks)
    {
        if (_starts.Length < ranks.Length + 1) _starts = new int[ranks.Length + 1];
        var starts = _starts.AsSpan(0, ranks.Length + 1);
        starts.Clear();
        foreach (ref readonly var row in rows) starts[ranks[row.Device] + 1]++;
        for (var i = 1; i < starts.Length; i++) starts[i] += starts[i - 1];
        for (var i = 0; i < rows.Length; i++) _scratch[starts[ranks[rows[i].Device]]++] = i;
    }

    private int[] BySlot(ReadOnlySpan<BufferedRow> rows, int slots)
    {
        var starts = new int[slots + 1];
        foreach (ref readonly var row in rows) starts[row.HourSlot + 1]++;
        for (var i = 1; i < starts.Length; i++) starts[i] += starts[i - 1];
        var next = starts.AsSpan(0, slots).ToArray();
        for (var i = 0; i < rows.Length; i++)
        {
            var row = _scratch[i];
            _order[next[rows[row].HourSlot]++] = row;
        }

        return starts;
    }

    private void RepairTimes(ReadOnlySpan<BufferedRow> rows)
    {
        var begin = 0;
        var rising = true;
        for (var i = 1; i <= rows.Length; i++)
        {
            if (i < rows.Length && SameGroup(rows[_order[i]], rows[_order[i - 1]]))
            {
                rising &= rows[_order[i]].View.TimestampMs >= rows[_order[i - 1]].View.TimestampMs;
                continue;
            }

            if (!rising) SortByTime(rows, _order.AsSpan(begin, i - begin));
            begin = i;
            rising = true;
        }
    }

    private static bool SameGroup(in BufferedRow a, in BufferedRow b) =>
        a.Device == b.Device && a.HourSlot == b.HourSlot;

    private static void SortByTime(ReadOnlySpan<BufferedRow> rows, Span<int> group)
    {
        var keys = new (long TimestampMs, int Partition, long Offset)[group.Length];
        for (var i = 0; i < group.Length; i++)
        {
            ref readonly var row = ref rows[group[i]];
            keys[i] = (row.View.TimestampMs, row.Partition, row.Offset);
        }

        keys.AsSpan().Sort(group);
    }
}
