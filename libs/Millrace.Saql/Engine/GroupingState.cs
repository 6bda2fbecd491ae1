using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>What all windows have in common: rows go into groups, and groups make rows.</summary>
internal abstract partial class GroupingState : OperatorState
{
    private readonly Accumulator[] _accumulators;
    private readonly Value[] _arguments;
    private readonly Value[] _keys;
    private readonly int[] _identity;
    private readonly Value[] _stored;
    private readonly int[] _storedSlots;

    /// <summary>Of each argument: some aggregates read its text, but others keep it as it came.</summary>
    private readonly bool[] _keepsText;
    private Value _read;
    private readonly GroupKey _keyText = new();
    private readonly bool _keyedByDevice;
    private readonly bool _separatePartitions;
    private readonly int _wordsPerGroup;
    private byte[] _key = new byte[256];
    private byte[] _shown = new byte[256];

    /// <summary>The row at hand as <see cref="TryPrepare"/> left it.</summary>
    private Value[] _given = [];
    private int[] _givenSlots = [];
    private bool _keyIsText;
    private int _keyLength;

    protected GroupingState(WindowPlan plan, EngineContext context) : base(plan, context)
    {
        Plan = plan;
        _arguments = new Value[plan.ArgumentCount];
        _identity = [.. Enumerable.Range(0, plan.ArgumentCount)];
        _keys = new Value[plan.KeyCount];
        _stored = new Value[KeyedLog.HeadValues + plan.ArgumentCount];
        _storedSlots = [.. _identity.Select(argument => argument + KeyedLog.HeadValues)];
        _accumulators = new Accumulator[plan.Accumulators.Count];
        for (var i = 0; i < _accumulators.Length; i++)
        {
            _accumulators[i] = new Accumulator(plan.Accumulators[i], i, _wordsPerGroup);
            _wordsPerGroup += Accumulator.WordsOf(plan.Accumulators[i].Kind);
        }

        _keepsText = [.. _identity.Select(argument => plan.Accumulators.Where(one => one.Argument == argument).ToList()
            is var own && own.Exists(one => one.KeepsText) && own.Exists(one => one.ReadsText))];
        _keyedByDevice = plan.Sources.All(inlet => inlet.Keys.Any(key => key.IsDeviceId));
        Totals = new RunningTotals(_accumulators, _storedSlots, !_keyedByDevice);
        _separatePartitions = plan.IsPartitionLocal && context.SeparatesPartitions;
    }

    public WindowPlan Plan { get; }

    /// <summary>For a window that needs its rows again.</summary>
    protected RunningTotals Totals { get; }

    /// <summary>Takes the row in the frame.</summary>
    public abstract void Add(WindowInletState inlet);

    public override InletState CreateInlet(Inlet inlet) => new WindowInletState((WindowInlet)inlet, this);

    /// <summary>The keys of the row that was made last, in a stable text form.</summary>
    public ReadOnlySpan<byte> GroupKeyText() => _keyText.Text(Root.Slots.AsSpan(0, Plan.KeyCount));

    protected GroupTable NewTable() => new(_wordsPerGroup);

    /// <summary>Computes what the window needs of the row in the frame; false when the row does not come in.</summary>
    protected bool TryPrepare(WindowInletState inlet)
    {
        Frame.ClearFailure();
        foreach (var filter in inlet.Filters)
        {
            if (filter.Test(Frame) == Truth.True) continue;
            if (Frame.Failure is not null) Context.ReportFailure();
            return false;
        }

        _given = inlet.ArgumentsAreSlots && AreNumbers(inlet.ArgumentSlots, Frame.Slots)
            ? Frame.Slots
            : Evaluate(inlet);
        _givenSlots = _given == _arguments ? _identity : inlet.ArgumentSlots;
        _keyIsText = inlet.KeySlot >= 0 && !_separatePartitions && Frame.Slots[inlet.KeySlot].Kind == ValueKind.Text;
        _keyLength = _keyIsText ? 0 : EncodeKey(inlet.Keys);
        if (Frame.Failure is null) return true;
        Context.ReportFailure();
        return false;
    }

    /// <summary>Adds the prepared row to its group.</summary>
    protected void AddPrepared(WindowInletState inlet, GroupTable table)
    {
        var key = PreparedKey(inlet);
        var index = table.FindOrAdd(key, _keyIsText ? 1 : 0, out var isNew);
        if (isNew)
        {
            if (_keyIsText) _keys[0] = Frame.Slots[inlet.KeySlot];
            Begin(table, index, _keyIsText);
        }
        else if (!_keyedByDevice) CompareDevice(table, ref table[index]);

        Accumulate(table, index, _given, _givenSlots);
    }

    /// <summary>Keeps the prepared row, for a window that needs its rows again.</summary>
    protected KeyChain AppendPrepared(WindowInletState inlet, KeyedLog log)
    {
        for (var i = 0; i < _arguments.Length; i++) _stored[KeyedLog.HeadValues + i] = _given[_givenSlots[i]];
        if (_keyIsText) _keys[0] = Frame.Slots[inlet.KeySlot];
        var origin = Frame.Origin;
        origin.Settle();
        var chain = log.Append(PreparedKey(inlet), _keyIsText ? 1 : 0, origin, _stored, _keys);
        Totals.Added(log, chain, _stored);
        return chain;
    }

    protected KeyChain RemoveFirst(KeyedLog log) => Totals.RemoveFirst(log, _stored);

    protected void RestoreTotals(KeyedLog log) => Totals.Restore(log, _stored);

    /// <summary>The group of a chain as its rows would make it; false when they have to be looked at.</summary>
    protected bool TryFill(KeyedLog log, KeyChain chain, GroupTable table)
    {
        if (!chain.HasTotals) return false;
        Frame.Origin = log.Rows.Read(chain.First, _stored, _keys);
        var tag = (int)_stored[1].Integer;
        var index = table.FindOrAdd(_stored[0].Utf8, tag, out _);
        Begin(table, index, tag == 1);
        if (!Totals.TryFill(chain, ref table.FirstWord(index)))
        {
            table.Clear();
            return false;
        }

        if (chain.DeviceChangedAt > chain.First) table[index].DeviceLength = GroupTable.SeveralDevices;
        return true;
    }

    /// <summary>Adds a row that was kept to its group; the frame's origin becomes the row's.</summary>
    protected void AddStored(KeyedLog log, long number, GroupTable table)
    {
        Frame.Origin = log.Rows.Read(number, _stored, _keys);
        var tag = (int)_stored[1].Integer;
        var index = table.FindOrAdd(_stored[0].Utf8, tag, out var isNew);
        if (isNew) Begin(table, index, tag == 1);
        else if (!_keyedByDevice) CompareDevice(table, ref table[index]);
        Accumulate(table, index, _stored, _storedSlots);
    }

    private ReadOnlySpan<byte> PreparedKey(WindowInletState inlet) =>
        _keyIsText ? Frame.Slots[inlet.KeySlot].Utf8 : _key.AsSpan(0, _keyLength);

    private void Accumulate(GroupTable table, int index, Value[] arguments, int[] slots)
    {
        ref var words = ref table.FirstWord(index);
        foreach (ref readonly var accumulator in _accumulators.AsSpan())
        {
            var argument = accumulator.Argument;
            ref readonly var value = ref argument < 0 ? ref NoValue : ref arguments[slots[argument]];
            if (value.Kind == ValueKind.Text && accumulator.ReadsText)
            {
                // Others keep the text; that it can be read was seen when the row came.
                _read = value;
                accumulator.TryTake(ref _read, Frame);
                value = ref _read;
            }

            accumulator.Add(ref words, in value, table, index);
        }
    }

    /// <summary>The arguments as the aggregates take them, or a failure in the frame.</summary>
    private Value[] Evaluate(WindowInletState inlet)
    {
        for (var i = 0; i < _arguments.Length; i++) _arguments[i] = inlet.Arguments[i].Evaluate(Frame);
        foreach (ref readonly var accumulator in _accumulators.AsSpan())
        {
            var argument = accumulator.Argument;
            if (argument < 0) continue;
            ref var value = ref _arguments[argument];
            if (_keepsText[argument])
            {
                _read = value;
                value = ref _read;
            }

            if (!accumulator.TryTake(ref value, Frame)) break;
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

    private static readonly Value[] NoValues = [Value.Null];

    private static ref readonly Value NoValue => ref NoValues[0];

    /// <summary>The first event of a group is what its rows are traced to; its keys are at hand.</summary>
    private void Begin(GroupTable table, int index, bool keyIsText)
    {
        ref readonly var origin = ref Frame.Origin;
        var device = table.Keep(origin.Device.Utf8);
        var shown = table[index].ShownStart + KeyPrefixBytes;
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
        var device = Frame.Origin.Device;
        var same = device.IsNull
            ? group.DeviceLength == GroupTable.NoDevice && !Frame.Origin.SeveralDevices
            : device.Length == group.DeviceLength &&
                device.Utf8.SequenceEqual(table.Bytes.AsSpan(group.DeviceStart, group.DeviceLength));
        if (!same) group.DeviceLength = GroupTable.SeveralDevices;
    }

    private int EncodeKey(Expr[] keys)
    {
        var length = 0;
        if (_separatePartitions)
        {
            BitConverter.TryWriteBytes(_key, Frame.Partition);
            length = 4;
        }

        for (var i = 0; i < keys.Length; i++)
        {
            _keys[i] = keys[i].Evaluate(Frame);
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
}
