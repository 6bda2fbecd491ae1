using System.Diagnostics.CodeAnalysis;
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
internal sealed class AnomalyState : AnalyticState
{
    /// <summary>The exponent of the power martingale.</summary>
    private const double Power = 0.92;
    private const int HistoryMin = 2;

    /// <summary>Where older programs wrote the number of rows that they kept.</summary>
    private const int FormatOfTails = -1;

    private readonly Spares<ValueTail> _spares = new();
    private readonly JsonRowWriter _writer = new();
    private readonly List<double> _history = [];
    private TableMemory<ValueTail> _kept;

    public AnomalyState(AnalyticPlan plan, EngineContext context) : base(plan, context) => Enter(NewMemory());

    public override long StateBytes => _kept.StateBytes;

    public override Memory NewMemory() => new TableMemory<ValueTail>(_spares, Plan.Duration);

    [MemberNotNull(nameof(_kept))]
    public override void Enter(Memory memory) => _kept = (TableMemory<ValueTail>)memory;

    public override Value Compute(ReadOnlySpan<byte> key, bool isTaken, AnalyticInlet inlet)
    {
        var now = Frame.Origin.Timestamp;
        _kept.Entries.RemoveUpTo(now - Plan.Duration);
        if (!isTaken) return Value.Null;
        var given = inlet.Argument.Evaluate(Frame);
        if (given.IsNull) return Value.Null;
        if (!Conversion.TryNumber(given, out var number))
            return Frame.Fail(SaqlErrors.ValueMismatch, $"Anomaly detection met {Shown.Of(given)}; CAST it first.");
        var value = number.AsNumber;
        var tail = _kept.Entries.Find(key);
        var logarithm = tail?.Logarithm ?? 0;
        _history.Clear();
        tail?.CopyTo(_history, now - Plan.Duration);
        var (score, isAnomaly) = Plan.Kind == AnalyticKind.Spike ? Spike(value) : Change(value, ref logarithm);
        Keep(key, now, value, logarithm);
        _writer.Begin();
        _writer.NameAsWritten("IsAnomaly"u8);
        _writer.Value(Value.Of(isAnomaly ? 1L : 0L));
        _writer.NameAsWritten("Score"u8);
        _writer.Value(Value.Of(score));
        _writer.End();
        return Frame.Arena.Add(_writer.Written, ValueKind.Record);
    }

    public override void Save(StateWriter writer)
    {
        writer.Write(FormatOfTails);
        writer.Write(_kept.Entries.Count);
        foreach (var tail in _kept.Entries.InOrder)
        {
            writer.Write(tail.Key);
            tail.Save(writer);
        }
    }

    public override void Restore(ref StateReader reader)
    {
        _kept.Entries.Clear();
        var rows = reader;
        if (reader.ReadInt32() != FormatOfTails)
        {
            reader = rows;
            RestoreRows(ref reader);
            return;
        }

        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var key = reader.ReadBytes().ToArray();
            for (var values = reader.ReadCount(); values > 0; values--)
                Keep(key, reader.ReadInt64(), reader.ReadDouble(), reader.ReadDouble());
        }
    }

    /// <summary>What older programs kept: rows, each with its key, its value and where the martingale stood.</summary>
    private void RestoreRows(ref StateReader reader)
    {
        var log = new RowLog(new RowChunks());
        log.Restore(ref reader, Context.Sources.Length);
        var stored = new Value[KeyedLog.HeadValues + 2];
        for (var number = log.First; number < log.Next; number++)
        {
            var row = log.Read(number, stored);
            Keep(stored[0].Utf8, row.Timestamp, stored[^2].Number, stored[^1].Number);
        }
    }

    private void Keep(ReadOnlySpan<byte> key, long time, double value, double logarithm)
    {
        var tail = _kept.Entries.Use(key, time);
        var before = tail.ValueBytes;
        tail.Keep(time, value, logarithm, Plan.History);
        _kept.Entries.Grew(tail.ValueBytes - before);
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
