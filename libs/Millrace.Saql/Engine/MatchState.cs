using System.Diagnostics.CodeAnalysis;
using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// MATCH_RECOGNIZE at work. Each row may begin a match; what it gives is sure when the first way that the pattern
/// prefers ends, or when the duration is over. Then the row goes out, with that time.
/// </summary>
internal sealed class MatchState : OperatorState
{
    private const int RowBytes = 160, SpareMax = 10_000;

    private readonly MatchPlan _plan;
    private readonly PatternMachine _machine;
    private readonly Value[] _values;
    private readonly KeyWriter _key = new();
    private readonly Stack<MatchRow> _spareRows = new();
    private readonly Spares<MatchPartition> _sparePartitions = new();
    private MatchMemory _kept;

    public MatchState(MatchPlan plan, EngineContext context) : base(plan, context)
    {
        _plan = plan;
        _machine = new PatternMachine(plan, context);
        _values = new Value[plan.FirstMeasureSlot];
        Enter(new MatchMemory());
    }

    public override Memory NewMemory() => new MatchMemory();

    [MemberNotNull(nameof(_kept))]
    public override void Enter(Memory memory)
    {
        base.Enter(memory);
        _kept = (MatchMemory)memory;
    }

    public override InletState CreateInlet(Inlet inlet) => new MatchInletState(this, (MatchInlet)inlet);

    /// <summary>The duration of the oldest row is over: what fits now is the match.</summary>
    public override void CloseNext()
    {
        var due = NextDue;
        var (partition, row) = _kept.Pending.Peek();
        var mark = Frame.Mark();
        Settle(partition, partition.Rows.IndexOf(row), isOver: true, due, 0);
        Trim(partition);
        Frame.ComeBack(mark);
        UpdateNextDue();
    }

    public override void Save(StateWriter writer)
    {
        writer.Write(_kept.Partitions.Count);
        foreach (var partition in _kept.Partitions.Values)
        {
            writer.Write(partition.Key);
            writer.Write(partition.Rows.Count);
            foreach (var row in partition.Rows)
            {
                writer.Write(row.Origin.Timestamp);
                writer.Write(row.Origin.Source);
                writer.Write(row.Origin.Offset);
                writer.Write(row.Origin.Element);
                writer.Write((long)row.Origin.Trail);
                writer.Write((row.IsPending ? 1 : 0) | (row.Origin.SeveralDevices ? 2 : 0)
                    | (row.IsTold ? 4 : 0));
                writer.Write(row.Bytes);
            }
        }
    }

    public override void Restore(ref StateReader reader)
    {
        _kept.Partitions.Clear();
        _kept.Pending.Clear();
        _kept.Bytes = 0;
        var pending = new List<(MatchPartition, MatchRow)>();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var partition = NewPartition(reader.ReadBytes());
            for (var rows = reader.ReadCount(); rows > 0; rows--)
            {
                var row = RestoreRow(ref reader);
                partition.Rows.Add(row);
                _kept.Bytes += row.Bytes.Length + RowBytes;
                row.IsQueued = row.IsPending;
                if (row.IsPending) pending.Add((partition, row));
            }
        }

        foreach (var one in pending.OrderBy(one => one.Item2.Origin.Timestamp).ThenBy(one => one.Item2.Origin.Source)
            .ThenBy(one => one.Item2.Origin.Offset).ThenBy(one => one.Item2.Origin.Element))
            _kept.Pending.Enqueue(one);
        UpdateNextDue();
    }

    private MatchRow RestoreRow(ref StateReader reader)
    {
        var origin = new RowOrigin
        {
            Timestamp = reader.ReadInt64(),
            Source = reader.ReadInt32(),
            Offset = reader.ReadInt64(),
            Element = reader.ReadInt32(),
            Trail = (ulong)reader.ReadInt64(),
        };
        var flags = reader.ReadInt32();
        origin.SeveralDevices = (flags & 2) != 0;
        if ((uint)origin.Source >= (uint)Context.Sources.Length) throw reader.Damaged();
        var row = new MatchRow(_values.Length)
        {
            IsKept = true,
            IsPending = (flags & 1) != 0,
            IsTold = (flags & 4) != 0,
        };
        row.Set(origin, reader.ReadBytes());
        return row;
    }

    private void Take(MatchInlet inlet, Expr[] values)
    {
        Frame.ClearFailure();
        foreach (var filter in inlet.Filters)
        {
            if (filter.Test(Frame) == Truth.True) continue;
            if (Frame.Failure is not null) Context.ReportFailure();
            return;
        }

        for (var i = 0; i < values.Length; i++) _values[i] = values[i].Evaluate(Frame);
        if (!_key.TryWrite(inlet.Keys, Frame, _plan.IsPartitionLocal && Context.SeparatesPartitions))
        {
            Context.ReportFailure();
            return;
        }

        var mark = Frame.Mark();
        var origin = mark.Origin;
        origin.Settle();
        var partition = Partition();
        var row = _spareRows.TryPop(out var spare) ? spare : new MatchRow(_values.Length);
        row.Set(origin, _values);
        (row.IsPending, row.IsKept, row.IsTold, row.Waiting) = (true, true, false, null);
        _machine.Begin(row);
        partition.Rows.Add(row);
        _kept.Bytes += row.Bytes.Length + RowBytes;
        for (var i = 0; i < partition.Rows.Count; i++)
        {
            if (partition.Rows[i].IsPending) Settle(partition, i, isOver: false, origin.Timestamp, inlet.Index);
        }

        row.IsQueued = row.IsPending;
        if (row.IsPending) _kept.Pending.Enqueue((partition, row));
        Trim(partition);
        Frame.ComeBack(mark);
        _machine.End();
        UpdateNextDue();
    }

    private MatchPartition Partition() =>
        _kept.Partitions.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(_key.Written, out var known)
            ? known : NewPartition(_key.Written);

    private MatchPartition NewPartition(ReadOnlySpan<byte> key)
    {
        var partition = _sparePartitions.TryTake(key.Length, out var spare) ? spare : new MatchPartition();
        partition.Name(key);
        return _kept.Partitions[partition.Key] = partition;
    }

    /// <summary>Tries the pattern at a row; when the answer is sure, gives it.</summary>
    private void Settle(MatchPartition partition, int start, bool isOver, long now, int inlet)
    {
        var outcome = _machine.Run(partition.Rows, start, isOver);
        if (outcome == PatternOutcome.Open) return;
        partition.Rows[start].IsPending = false;
        if (outcome == PatternOutcome.Match) Emit(partition.Rows, start, now, inlet);
    }

    private void Emit(List<MatchRow> rows, int start, long now, int inlet)
    {
        var origin = rows[start].Origin.Derived(_plan.Number, inlet);
        origin.Timestamp = now;
        for (var i = 1; i < Frame.Matched.Count && !origin.SeveralDevices; i++)
        {
            var device = rows[start + i].Origin.Device;
            if (device.IsNull == origin.Device.IsNull && device.Utf8.SequenceEqual(origin.Device.Utf8)) continue;
            (origin.Device, origin.SeveralDevices) = (Value.Null, true);
        }

        Frame.Origin = origin;
        Frame.NextRow();
        Frame.ClearFailure();
        for (var i = 0; i < _plan.Measures.Count; i++)
            Root.Slots[_plan.FirstMeasureSlot + i] = _plan.Measures[i].Evaluate(Frame);
        if (Frame.Failure is not null) Context.ReportFailure();
        else Root.Dispatch();
    }

    /// <summary>Rows before the first at which a match may begin are not needed any more.</summary>
    private void Trim(MatchPartition partition)
    {
        var count = partition.Rows.FindIndex(row => row.IsPending);
        if (count < 0) count = partition.Rows.Count;
        for (var i = 0; i < count; i++)
        {
            var row = partition.Rows[i];
            _kept.Bytes -= row.Bytes.Length + RowBytes;
            row.IsKept = false;
            Spare(row);
        }

        partition.Rows.RemoveRange(0, count);
        if (partition.Rows.Count > 0) return;
        _kept.Partitions.Remove(partition.Key);
        _sparePartitions.Put(partition.Key.Length, partition);
    }

    /// <summary>A row is used again when it is neither in its partition nor in the queue.</summary>
    private void Spare(MatchRow row)
    {
        if (!row.IsKept && !row.IsQueued && _spareRows.Count < SpareMax) _spareRows.Push(row);
    }

    private void UpdateNextDue()
    {
        while (_kept.Pending.TryPeek(out var oldest) && !oldest.Row.IsPending)
        {
            _kept.Pending.Dequeue();
            oldest.Row.IsQueued = false;
            Spare(oldest.Row);
        }

        NextDue = _kept.Pending.TryPeek(out var next) ? next.Row.Origin.Timestamp + _plan.Duration - 1 : long.MaxValue;
    }

    private sealed class MatchMemory : Memory
    {
        public Dictionary<byte[], MatchPartition> Partitions { get; } = new(KeyBytes.Comparer);

        /// <summary>Rows at which a match may begin, oldest first.</summary>
        public Queue<(MatchPartition Partition, MatchRow Row)> Pending { get; } = new();

        public long Bytes { get; set; }

        public override bool IsWaiting => Pending.Count > 0;

        public override long StateBytes => Bytes;

        public override bool IsEmptyAt(long time) => Pending.Count == 0 && Partitions.Count == 0;
    }

    private sealed class MatchInletState(MatchState match, MatchInlet plan) : InletState
    {
        private readonly Expr[] _values = [.. plan.Values];

        public override void Take() => match.Take(plan, _values);
    }
}
