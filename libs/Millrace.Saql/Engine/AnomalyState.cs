using Millrace.Saql.Expressions;
using Millrace.Saql.Json;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// Anomaly detection: how well a value fits the last ones of its partition. Spikes and dips are scored by the tail of a
/// Gaussian kernel density; change points by a martingale over ranks, which grows as long as values keep looking
/// strange.
/// </summary>
internal sealed class AnomalyState(AnalyticPlan plan, EngineContext context) : AnalyticState(plan, context)
{
    /// <summary>The exponent of the power martingale.</summary>
    private const double Power = 0.92;
    private const int HistoryMin = 2;

    private readonly KeyedLog _log = new();
    private readonly JsonRowWriter _writer = new();
    private readonly List<double> _history = [];

    /// <summary>Behind the key the value, and the logarithm of the martingale with it.</summary>
    private readonly Value[] _stored = new Value[KeyedLog.HeadValues + 2];

    public override long StateBytes => _log.Rows.StateBytes;

    public override Value Compute(ReadOnlySpan<byte> key, bool isTaken, AnalyticInlet inlet)
    {
        var now = Frame.Origin.Timestamp;
        while (_log.Rows.Count > 0 && _log.FirstTime <= now - Plan.Duration) _log.RemoveFirst();
        if (!isTaken) return Value.Null;
        var given = inlet.Argument.Evaluate(Frame);
        if (given.IsNull) return Value.Null;
        if (!Conversion.TryNumber(given, out var number))
            return Frame.Fail(SaqlErrors.ValueMismatch, $"Anomaly detection met {Shown.Of(given)}; CAST it first.");
        var value = number.AsNumber;
        var logarithm = Recall(key);
        var (score, isAnomaly) = Plan.Kind == AnalyticKind.Spike ? Spike(value) : Change(value, ref logarithm);
        _stored[^2] = Value.Of(value);
        _stored[^1] = Value.Of(logarithm);
        _log.Append(key, 0, Frame.Origin, _stored, default);
        _writer.Begin();
        _writer.NameAsWritten("IsAnomaly"u8);
        _writer.Value(Value.Of(isAnomaly ? 1L : 0L));
        _writer.NameAsWritten("Score"u8);
        _writer.Value(Value.Of(score));
        _writer.End();
        return Frame.Arena.Add(_writer.Written, ValueKind.Record);
    }

    public override void Save(StateWriter writer) => _log.Save(writer);

    public override void Restore(ref StateReader reader) => _log.Restore(ref reader, Context.Sources.Length);

    /// <summary>The last values of the partition, and where its martingale stands.</summary>
    private double Recall(ReadOnlySpan<byte> key)
    {
        _history.Clear();
        if (_log.Find(key) is not { } chain) return 0;
        var skipped = chain.Count - Plan.History;
        var logarithm = 0.0;
        for (var number = chain.First; number >= 0; number = _log.Rows[number].Next)
        {
            if (skipped-- > 0) continue;
            _log.Rows.Read(number, _stored);
            _history.Add(_stored[^2].Number);
            logarithm = _stored[^1].Number;
        }

        return logarithm;
    }

    private (double Score, bool IsAnomaly) Spike(double value)
    {
        if (_history.Count < HistoryMin) return (1, false);
        var (mean, deviation) = Spread();
        // Silverman's rule; of values that are all alike any other is strange.
        var width = Math.Max(1.06 * deviation * Math.Pow(_history.Count, -0.2), 1e-9 * (1 + Math.Abs(mean)));
        var above = 0.0;
        foreach (var known in _history) above += Normal((known - value) / width);
        above /= _history.Count;
        var score = Plan.Mode switch
        {
            SpikeMode.Spikes => above,
            SpikeMode.Dips => 1 - above,
            _ => 2 * Math.Min(above, 1 - above),
        };
        return (score, score < 1 - Plan.Confidence);
    }

    private (double Score, bool IsAnomaly) Change(double value, ref double logarithm)
    {
        if (_history.Count < HistoryMin) return (1, false);
        var (mean, _) = Spread();
        var strangeness = Math.Abs(value - mean);
        // Itself is one of those that are as strange.
        var (stranger, alike) = (0, 1);
        foreach (var known in _history)
        {
            var other = Math.Abs(known - mean);
            if (other > strangeness) stranger++;
            else if (other == strangeness) alike++;
        }

        var share = (stranger + (0.5 * alike)) / (_history.Count + 1);
        logarithm = Math.Max(0, logarithm + Math.Log(Power) + ((Power - 1) * Math.Log(share)));
        var score = Math.Exp(logarithm);
        var isAnomaly = score * (1 - Plan.Confidence) > 1;
        if (isAnomaly) logarithm = 0;
        return (score, isAnomaly);
    }

    private (double Mean, double Deviation) Spread()
    {
        var mean = 0.0;
        foreach (var known in _history) mean += known / _history.Count;
        var squares = 0.0;
        foreach (var known in _history) squares += (known - mean) * (known - mean);
        return (mean, Math.Sqrt(squares / Math.Max(1, _history.Count - 1)));
    }

    /// <summary>The normal distribution, to 1.5e-7 (Abramowitz and Stegun 7.1.26).</summary>
    private static double Normal(double x)
    {
        var z = Math.Abs(x) / Math.Sqrt(2);
        var t = 1 / (1 + (0.3275911 * z));
        var series = t * (0.254829592 + (t * (-0.284496736 + (t * (1.421413741 + (t * (-1.453152027
            + (t * 1.061405429))))))));
        var tail = 0.5 * series * Math.Exp(-z * z);
        return x > 0 ? 1 - tail : tail;
    }
}
