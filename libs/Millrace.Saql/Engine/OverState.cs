using System.Diagnostics.CodeAnalysis;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>An aggregate with OVER: of each partition the values of the last stretch of time.</summary>
internal sealed class OverState : AnalyticState
{
    private readonly RowChunks _chunks = new();
    private readonly Spares<KeyChain> _spares = new();
    private readonly Accumulator _accumulator;
    private readonly GroupTable _group;
    private readonly Value[] _stored = new Value[KeyedLog.HeadValues + 1];
    private readonly RunningTotals _totals;
    private OverMemory _kept;

    public OverState(AnalyticPlan plan, EngineContext context) : base(plan, context)
    {
        _accumulator = new Accumulator(plan.Accumulator, 0, 0);
        _totals = new RunningTotals([_accumulator], [KeyedLog.HeadValues], comparesDevices: false);
        _group = new GroupTable(Accumulator.WordsOf(plan.Accumulator.Kind));
        Enter(NewMemory());
    }

    public override Memory NewMemory() => new OverMemory(this, new KeyedLog(_chunks, _spares));

    [MemberNotNull(nameof(_kept))]
    public override void Enter(Memory memory) => _kept = (OverMemory)memory;

    public override Value Compute(ReadOnlySpan<byte> key, bool isTaken, AnalyticInlet inlet)
    {
        var now = Frame.Origin.Timestamp;
        RemoveUpTo(_kept.Log, now - Plan.Duration);
        if (isTaken)
        {
            var value = inlet.Argument.Evaluate(Frame);
            if (!_accumulator.TryTake(ref value, Frame)) return Value.Null;
            _stored[^1] = value;
            _totals.Added(_kept.Log, _kept.Log.Append(key, 0, Frame.Origin, _stored, default), _stored);
        }

        _group.Clear();
        var index = _group.FindOrAdd(key, 0, out _);
        ref var words = ref _group.FirstWord(index);
        if (_kept.Log.Find(key) is { } chain && !_totals.TryFill(chain, ref words)) AddAll(chain, ref words, index);

        var result = _accumulator.Result(Plan.Result, ref words, _group, Frame);
        return result.HasBytes && result.Bytes == _group.Bytes
            ? Frame.Arena.Add(result.Utf8, result.Kind)
            : result;
    }

    public override long StateBytes => _kept.StateBytes;

    public override void Save(StateWriter writer) => _kept.Log.Save(writer);

    public override void Restore(ref StateReader reader)
    {
        _kept.Log.Restore(ref reader, Context.Sources.Length);
        _totals.Restore(_kept.Log, _stored);
    }

    private void RemoveUpTo(KeyedLog log, long time)
    {
        while (log.Rows.Count > 0 && log.FirstTime <= time) _totals.RemoveFirst(log, _stored);
    }

    private void AddAll(KeyChain chain, ref long words, int group)
    {
        for (var number = chain.First; number >= 0; number = _kept.Log.Rows[number].Next)
        {
            _kept.Log.Rows.Read(number, _stored);
            _accumulator.Add(ref words, _stored[^1], _group, group);
        }
    }

    private sealed class OverMemory(OverState owner, KeyedLog log) : Memory
    {
        public KeyedLog Log => log;

        public override long StateBytes => log.StateBytes;

        public override bool IsEmptyAt(long time)
        {
            owner.RemoveUpTo(log, time - owner.Plan.Duration);
            return log.Rows.Count == 0;
        }
    }
}
