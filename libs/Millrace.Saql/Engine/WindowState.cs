using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// The open panes of one window and their groups. Rows come in the order of their time. A tumbling window is one pane;
/// a hopping one is put together from its panes when it ends.
/// </summary>
internal sealed partial class WindowState
{
    private readonly WindowPlan _plan;
    private readonly EngineContext _context;
    private readonly Frame _frame;
    private readonly RootState _root;
    private readonly Accumulator[] _accumulators;
    private readonly Value[] _arguments;
    private readonly Value[] _keys;
    private readonly int[] _identity;
    private readonly bool _keyedByDevice;
    private readonly bool _separatePartitions;
    private readonly List<Pane> _panes = [];
    private readonly Stack<GroupTable> _spare = new();
    private readonly int _wordsPerGroup;
    private GroupTable? _merged;
    private byte[] _key = new byte[256];
    private byte[] _shown = new byte[256];
    private int[] _groupMap = new int[16];
    private long _lastClosed = long.MinValue;

    /// <summary>The pane that rows come into; long.MinValue when none is open.</summary>
    private long _currentEnd = long.MinValue;
    private GroupTable? _current;

    public WindowState(WindowPlan plan, EngineContext context)
    {
        _plan = plan;
        _context = context;
        _frame = context.Frame;
        _root = new RootState(plan, new Value[plan.SlotCount], context);
        _arguments = new Value[plan.ArgumentCount];
        _identity = [.. Enumerable.Range(0, plan.ArgumentCount)];
        _keys = new Value[plan.KeyCount];
        _accumulators = new Accumulator[plan.Accumulators.Count];
        for (var i = 0; i < _accumulators.Length; i++)
        {
            _accumulators[i] = new Accumulator(plan.Accumulators[i], i, _wordsPerGroup);
            _wordsPerGroup += Accumulator.WordsOf(plan.Accumulators[i].Kind);
        }

        _keyedByDevice = plan.Inlets.All(inlet => inlet.Keys.Any(key => key.IsDeviceId));
        _separatePartitions = plan.IsPartitionLocal && context.SeparatesPartitions;
    }

    public WindowPlan Plan => _plan;

    public RootState Root => _root;

    public bool HasGroups => _panes.Count > 0;

    /// <summary>The end of the next window that has rows; long.MaxValue when none has.</summary>
    public long NextDue { get; private set; } = long.MaxValue;

    /// <summary>Takes the row in the frame.</summary>
    public void Add(InletState inlet)
    {
        _frame.ClearFailure();
        foreach (var filter in inlet.Filters)
        {
            if (filter.Test(_frame) == Truth.True) continue;
            if (_frame.Failure is not null) _context.ReportFailure();
            return;
        }

        var arguments = inlet.ArgumentsAreSlots && AreNumbers(inlet.ArgumentSlots, _frame.Slots)
            ? _frame.Slots
            : Evaluate(inlet);
        var slots = arguments == _arguments ? _identity : inlet.ArgumentSlots;
        var isText = inlet.KeySlot >= 0 && !_separatePartitions && _frame.Slots[inlet.KeySlot].Kind == ValueKind.Text;
        var key = isText ? _frame.Slots[inlet.KeySlot].Utf8 : _key.AsSpan(0, EncodeKey(inlet.Keys));
        if (_frame.Failure is not null)
        {
            _context.ReportFailure();
            return;
        }

        if (_frame.Origin.Timestamp > _currentEnd && !Open(_frame.Origin.Timestamp)) return;
        var table = _current!;
        var index = table.FindOrAdd(key, isText ? 1 : 0, out var isNew);
        if (isNew) Begin(table, index, inlet, isText);
        else if (!_keyedByDevice) CompareDevice(table, ref table[index]);
        ref var words = ref table.FirstWord(index);
        foreach (ref readonly var accumulator in _accumulators.AsSpan())
        {
            var argument = accumulator.Argument;
            accumulator.Add(ref words, in argument < 0 ? ref NoValue : ref arguments[slots[argument]], table, index);
        }
    }

    /// <summary>The arguments as the aggregates take them, or a failure in the frame.</summary>
    private Value[] Evaluate(InletState inlet)
    {
        for (var i = 0; i < _arguments.Length; i++) _arguments[i] = inlet.Arguments[i].Evaluate(_frame);
        foreach (ref readonly var accumulator in _accumulators.AsSpan())
        {
            if (accumulator.Argument >= 0 && !accumulator.TryTake(ref _arguments[accumulator.Argument], _frame)) break;
        }

        return _arguments;
    }

    /// <summary>Numbers and nulls can be taken by every aggregate as they are.</summary>
    private static bool AreNumbers(int[] wanted, Value[] slots)
    {
        foreach (var slot in wanted)
        {
            if (slots[slot].Kind > ValueKind.Float) return false;
        }

        return true;
    }

    /// <summary>The keys of the row that was made last, in a stable text form.</summary>
    public string GroupKeyText() => GroupKey.Text(_root.Slots.AsSpan(0, _plan.KeyCount));

    public void Save(StateWriter writer)
    {
        writer.Write(_lastClosed);
        writer.Write(_panes.Count);
        foreach (var pane in _panes)
        {
            writer.Write(pane.End);
            pane.Table.Save(writer);
        }
    }

    public void Restore(ref StateReader reader)
    {
        _lastClosed = reader.ReadInt64();
        _panes.Clear();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var pane = new Pane(reader.ReadInt64(), new GroupTable(_wordsPerGroup));
            pane.Table.Restore(ref reader);
            _panes.Add(pane);
            (_currentEnd, _current) = (pane.End, pane.Table);
        }

        UpdateNextDue();
    }

    private static readonly Value[] NoValues = [Value.Null];

    private static ref readonly Value NoValue => ref NoValues[0];

    /// <summary>The first event of a group is what its rows are traced to.</summary>
    private void Begin(GroupTable table, int index, InletState inlet, bool keyIsText)
    {
        ref readonly var origin = ref _frame.Origin;
        var device = table.Keep(origin.Device.Utf8);
        var shown = table[index].ShownStart + KeyPrefixBytes;
        if (keyIsText) _keys[0] = inlet.Keys[0].Evaluate(_frame);
        var length = EncodeShown(keyIsText);
        if (length > 0) shown = table.Keep(_shown.AsSpan(0, length));
        ref var group = ref table[index];
        group.Source = origin.Source;
        group.Offset = origin.Offset;
        group.Element = origin.Element;
        group.ShownStart = shown;
        group.DeviceStart = device;
        group.DeviceLength = !origin.Device.IsNull ? origin.Device.Length
            : origin.SeveralDevices ? GroupTable.SeveralDevices
            : GroupTable.NoDevice;
    }

    private int KeyPrefixBytes => _separatePartitions ? 4 : 0;

    private void CompareDevice(GroupTable table, ref Group group)
    {
        if (group.DeviceLength == GroupTable.SeveralDevices) return;
        var device = _frame.Origin.Device;
        var same = device.IsNull
            ? group.DeviceLength == GroupTable.NoDevice && !_frame.Origin.SeveralDevices
            : device.Length == group.DeviceLength &&
                device.Utf8.SequenceEqual(table.Bytes.AsSpan(group.DeviceStart, group.DeviceLength));
        if (!same) group.DeviceLength = GroupTable.SeveralDevices;
    }

    private int EncodeKey(Expr[] keys)
    {
        var length = 0;
        if (_separatePartitions)
        {
            BitConverter.TryWriteBytes(_key, _frame.Partition);
            length = 4;
        }

        for (var i = 0; i < keys.Length; i++)
        {
            _keys[i] = keys[i].Evaluate(_frame);
            var canonical = ValueCodec.Canonical(_keys[i]);
            var size = ValueCodec.Size(canonical);
            if (_key.Length < length + size) Array.Resize(ref _key, Math.Max(_key.Length * 2, length + size));
            length += ValueCodec.Write(_key.AsSpan(length), canonical);
        }

        return length;
    }

    /// <summary>The keys as they came; 0 when they are the same as the encoded key.</summary>
    private int EncodeShown(bool always)
    {
        var differs = always;
        var size = 0;
        foreach (ref readonly var key in _keys.AsSpan())
        {
            differs |= ValueCodec.Canonical(key).Kind != key.Kind;
            size += ValueCodec.Size(key);
        }

        if (!differs) return 0;
        if (_shown.Length < size) _shown = new byte[size * 2];
        var length = 0;
        foreach (ref readonly var key in _keys.AsSpan()) length += ValueCodec.Write(_shown.AsSpan(length), key);
        return length;
    }

    /// <summary>
    /// Opens the pane of a time behind the current one. False when the time lies in no window, as it may when the hop
    /// is longer than the size.
    /// </summary>
    private bool Open(long time)
    {
        var spec = _plan.Spec;
        if (time <= spec.FirstEnd(time) - spec.Size && !spec.IsSnapshot) return false;
        _current = _spare.Count > 0 ? _spare.Pop() : new GroupTable(_wordsPerGroup);
        _currentEnd = spec.PaneEnd(time);
        _panes.Add(new Pane(_currentEnd, _current));
        UpdateNextDue();
        return true;
    }

    private void UpdateNextDue()
    {
        if (_panes.Count == 0)
        {
            NextDue = long.MaxValue;
            _currentEnd = long.MinValue;
        }
        else
        {
            NextDue = _plan.Spec.FirstEnd(_panes[0].End);
            if (_lastClosed != long.MinValue && !_plan.Spec.IsSnapshot)
                NextDue = Math.Max(NextDue, _lastClosed + _plan.Spec.Hop);
        }

        _context.NextDueChanged(this);
    }

    private readonly record struct Pane(long End, GroupTable Table);
}
