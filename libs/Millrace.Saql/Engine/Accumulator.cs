using System.Runtime.CompilerServices;
using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// What one aggregate keeps for a group, in words of 64 bits. Floats are summed with compensation (Neumaier), so that
/// a sum does not depend on how a window was cut into panes; whole numbers in 128 bits, so that only the result can
/// overflow.
/// </summary>
internal readonly struct Accumulator(AccumulatorPlan plan, int index, int firstWord)
{
    /// <summary>In the count of a sum: one of the values was a float, so the sum is one.</summary>
    private const long HasFloat = long.MinValue;
    private const long CountBits = long.MaxValue;

    public int FirstWord => firstWord;

    public int Argument => plan.Argument;

    public AccumulatorKind Kind => plan.Kind;

    public bool ReadsText => plan.ReadsText;

    public static int WordsOf(AccumulatorKind kind) => kind switch
    {
        AccumulatorKind.Values or AccumulatorKind.Numbers => 3,
        AccumulatorKind.Sum => 5,
        AccumulatorKind.Min or AccumulatorKind.Max => 2,
        AccumulatorKind.Moments => 3,
        _ => 1,
    };

    /// <summary>The value as this aggregate takes it; false when it cannot (the row fails).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTake(ref Value value, Frame frame)
    {
        if (value.Kind <= ValueKind.Float || plan.TakesAny) return true;
        return TryTakeOther(ref value, frame);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ref long group, in Value value, GroupTable table, int groupIndex)
    {
        ref var words = ref Unsafe.Add(ref group, firstWord);
        if (plan.Kind == AccumulatorKind.CountRows)
        {
            words++;
            return;
        }

        if (value.IsNull) return;
        switch (plan.Kind)
        {
            case AccumulatorKind.Count:
                words++;
                break;
            case AccumulatorKind.Sum:
                AddToSum(ref words, value);
                break;
            case AccumulatorKind.Min or AccumulatorKind.Max:
                AddExtreme(ref words, value, table);
                break;
            case AccumulatorKind.Moments:
                AddMoment(ref words, value.AsNumber);
                break;
            case AccumulatorKind.Values or AccumulatorKind.Numbers:
                table.Values.Add(ref words, value, table);
                break;
            default:
                AddDistinct(ref words, value, table, groupIndex);
                break;
        }
    }

    /// <summary>
    /// Takes over what another table's group has; its distinct values are merged for the table as a whole.
    /// </summary>
    public void Merge(ref long group, GroupTable table, ref long otherGroup, GroupTable otherTable)
    {
        ref var words = ref Unsafe.Add(ref group, firstWord);
        ref var other = ref Unsafe.Add(ref otherGroup, firstWord);
        switch (plan.Kind)
        {
            case AccumulatorKind.CountRows or AccumulatorKind.Count:
                words += other;
                break;
            case AccumulatorKind.Sum:
                words = ((words & CountBits) + (other & CountBits)) | ((words | other) & HasFloat);
                Whole(ref words) += Whole(ref other);
                AddFloat(ref words, Real(ref other, 3));
                Real(ref words, 4) += Real(ref other, 4);
                break;
            case AccumulatorKind.Min or AccumulatorKind.Max:
                var extreme = Extreme(ref other, otherTable);
                if (!extreme.IsNull) AddExtreme(ref words, extreme, table);
                break;
            case AccumulatorKind.Moments:
                MergeMoments(ref words, ref other);
                break;
            case AccumulatorKind.Values or AccumulatorKind.Numbers:
                foreach (var value in otherTable.Values.Of(other, Unsafe.Add(ref other, 1), otherTable))
                    table.Values.Add(ref words, value, table);
                break;
        }
    }

    public Value Result(in ResultPlan result, ref long group, GroupTable table, Frame frame)
    {
        ref var words = ref Unsafe.Add(ref group, firstWord);
        switch (result.Kind)
        {
            case ResultKind.Count:
                return Value.Of(words);
            case ResultKind.Sum:
                return Sum(ref words, frame);
            case ResultKind.Average:
                if (words == 0) return Value.Null;
                return Finite(Total(ref words) / (words & CountBits), "AVG", frame);
            case ResultKind.Extreme:
                return Extreme(ref words, table);
            case >= ResultKind.Collect:
                return frame.ValueResults.Of(result, table.Values.Of(words, Unsafe.Add(ref words, 1), table), frame);
            default:
                return Spread(result.Kind, words, Real(ref words, 2), frame);
        }
    }

    /// <param name="real">The sum of the floats; null when there is none among the values.</param>
    public void FillSum(ref long group, long count, Int128 whole, double? real)
    {
        ref var words = ref Unsafe.Add(ref group, firstWord);
        words = real is null ? count : count | HasFloat;
        Whole(ref words) = whole;
        Real(ref words, 3) = real ?? 0;
    }

    /// <param name="number">The least or greatest; null when there is no value.</param>
    public void FillExtreme(ref long group, in Value number)
    {
        ref var words = ref Unsafe.Add(ref group, firstWord);
        words = (long)number.Kind;
        Unsafe.Add(ref words, 1) = number.Bits;
    }

    private bool TryTakeOther(ref Value value, Frame frame)
    {
        if (plan.Kind is AccumulatorKind.Min or AccumulatorKind.Max &&
            (value.Kind == ValueKind.DateTime || (value.Kind == ValueKind.Text && plan.AsText)))
            return true;
        if (value.Kind == ValueKind.Text && Conversion.TryConvert(value, ValueKind.Float, frame.Arena, out var number))
        {
            value = number;
            return true;
        }

        frame.Fail(SaqlErrors.ValueMismatch,
            $"An aggregate of numbers met {Shown.Of(value)} ({value.Kind.Name()}); CAST it first.");
        return false;
    }

    private static void AddToSum(ref long words, in Value value)
    {
        if (value.Kind == ValueKind.Float)
        {
            words = (words + 1) | HasFloat;
            AddFloat(ref words, value.Number);
        }
        else
        {
            words++;
            Whole(ref words) += value.Bits;
        }
    }

    private static void AddFloat(ref long words, double number)
    {
        ref var sum = ref Real(ref words, 3);
        var total = sum + number;
        Real(ref words, 4) += Math.Abs(sum) >= Math.Abs(number) ? sum - total + number : number - total + sum;
        sum = total;
    }

    private static Value Sum(ref long words, Frame frame)
    {
        if (words == 0) return Value.Null;
        if ((words & HasFloat) != 0) return Finite(Total(ref words), "SUM", frame);
        var whole = Whole(ref words);
        return whole >= long.MinValue && whole <= long.MaxValue
            ? Value.Of((long)whole)
            : frame.Fail(SaqlErrors.Overflow, $"SUM {whole} does not fit a bigint; CAST to float.");
    }

    private void AddExtreme(ref long words, in Value value, GroupTable table)
    {
        var current = Extreme(ref words, table);
        if (!current.IsNull)
        {
            if (!Comparison.TryCompare(value, current, out var order)) order = value.Kind.CompareTo(current.Kind);
            if (plan.Kind == AccumulatorKind.Min ? order >= 0 : order <= 0) return;
        }

        words = (long)value.Kind;
        Unsafe.Add(ref words, 1) = value.HasBytes
            ? ((long)table.Keep(value.Utf8) << 32) | (uint)value.Length
            : value.Bits;
    }

    private static Value Extreme(ref long words, GroupTable table)
    {
        var kind = (ValueKind)words;
        var bits = Unsafe.Add(ref words, 1);
        return kind >= ValueKind.Text
            ? Value.Slice(kind, table.Bytes, (int)(bits >> 32), (int)bits)
            : Value.FromBits(kind, bits);
    }

    private void AddDistinct(ref long words, in Value value, GroupTable table, int group)
    {
        var canonical = ValueCodec.Canonical(value);
        var size = ValueCodec.Size(canonical);
        Span<byte> bytes = size <= 256 ? stackalloc byte[256] : new byte[size];
        ValueCodec.Write(bytes, canonical);
        if (table.Distinct.Add(group, index, bytes[..size])) words++;
    }

    /// <summary>Welford: the mean, and the sum of squares around it.</summary>
    private static void AddMoment(ref long words, double number)
    {
        words++;
        ref var mean = ref Real(ref words, 1);
        var delta = number - mean;
        mean += delta / words;
        Real(ref words, 2) += delta * (number - mean);
    }

    private static void MergeMoments(ref long words, ref long other)
    {
        if (other == 0) return;
        var total = words + other;
        var delta = Real(ref other, 1) - Real(ref words, 1);
        Real(ref words, 2) += Real(ref other, 2) + (delta * delta * words / total * other);
        Real(ref words, 1) += delta * other / total;
        words = total;
    }

    private static Value Spread(ResultKind result, long count, double squares, Frame frame)
    {
        var isSample = result is ResultKind.SampleDeviation or ResultKind.SampleVariance;
        var divisor = isSample ? count - 1 : count;
        if (divisor <= 0) return Value.Null;
        var variance = squares / divisor;
        var isVariance = result is ResultKind.SampleVariance or ResultKind.PopulationVariance;
        return Finite(isVariance ? variance : Math.Sqrt(variance), "The aggregate", frame);
    }

    private static Value Finite(double number, string what, Frame frame) => double.IsFinite(number)
        ? Value.Of(number)
        : frame.Fail(SaqlErrors.Overflow, $"{what} does not fit a float.");

    private static double Total(ref long words) => (double)Whole(ref words) + Real(ref words, 3) + Real(ref words, 4);

    private static ref Int128 Whole(ref long words) => ref Unsafe.As<long, Int128>(ref Unsafe.Add(ref words, 1));

    private static ref double Real(ref long words, int word) =>
        ref Unsafe.As<long, double>(ref Unsafe.Add(ref words, word));
}
