using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>An aggregate with OVER: of each partition the values of the last stretch of time.</summary>
internal sealed class OverState : AnalyticState
{
    private readonly KeyedLog _log = new();
    private readonly Accumulator _accumulator;
    private readonly GroupTable _group;
    private readonly Value[] _stored = new Value[KeyedLog.HeadValues + 1];
    private readonly RunningTotals _totals;

    public OverState(AnalyticPlan plan, EngineContext context) : base(plan, context)
    {
        _accumulator = new Accumulator(plan.Accumulator, 0, 0);
        _totals = new RunningTotals([_accumulator], [KeyedLog.HeadValues], comparesDevices: false);
        _group = new GroupTable(Accumulator.WordsOf(plan.Accumulator.Kind));
    }

    public override Value Compute(ReadOnlySpan<byte> key, bool isTaken, AnalyticInlet inlet)
    {
        var now = Frame.Origin.Timestamp;
        while (_log.Rows.Count > 0 && _log.FirstTime <= now - Plan.Duration)
            _totals.RemoveFirst(_log, _stored);
        if (isTaken)
        {
            var value = inlet.Argument.Evaluate(Frame);
            if (!_accumulator.TryTake(ref value, Frame)) return Value.Null;
            _stored[^1] = value;
            _totals.Added(_log, _log.Append(key, 0, Frame.Origin, _stored, default), _stored);
        }

        _group.Clear();
        var index = _group.FindOrAdd(key, 0, out _);
        ref var words = ref _group.FirstWord(index);
        if (_log.Find(key) is { } chain && !_totals.TryFill(chain, ref words)) AddAll(chain, ref words, index);

        var result = _accumulator.Result(Plan.Result, ref words, _group, Frame);
        return result.HasBytes && result.Bytes == _group.Bytes
            ? Frame.Arena.Add(result.Utf8, result.Kind)
            : result;
    }

    public override long StateBytes => _log.Rows.StateBytes + _totals.StateBytes;

    public override void Save(StateWriter writer) => _log.Save(writer);

    public override void Restore(ref StateReader reader)
    {
        _log.Restore(ref reader, Context.Sources.Length);
        _totals.Restore(_log, _stored);
    }

    private void AddAll(KeyChain chain, ref long words, int group)
    {
        for (var number = chain.First; number >= 0; number = _log.Rows[number].Next)
        {
            _log.Rows.Read(number, _stored);
            _accumulator.Add(ref words, _stored[^1], _group, group);
        }
    }
}
