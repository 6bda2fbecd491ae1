using Millrace.Saql.Expressions;
using Millrace.Saql.Json;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>What aggregates make of the values that they kept.</summary>
internal sealed class ValueResults
{
    private const int NumberRank = 1;

    private readonly JsonRowWriter _writer = new();
    private readonly List<double> _numbers = [];
    private readonly List<Value> _given = [];
    private readonly List<(Value Value, Value[] Order)> _ranked = [];

    public Value Of(in ResultPlan result, ValueLists.Chain values, Frame frame)
    {
        if (result.Kind == ResultKind.Collect) return Collected(values, frame);
        if (values.Count == 0) return Value.Null;
        return result.Kind switch
        {
            ResultKind.PercentileContinuous => Continuous(result, values),
            ResultKind.PercentileDiscrete => Discrete(result, values),
            ResultKind.TopOne => Kept(Ranked(result, values)[0].Value, frame),
            _ => Top(result, values, frame),
        };
    }

    private Value Collected(ValueLists.Chain values, Frame frame)
    {
        _writer.BeginArray();
        foreach (var value in values) _writer.Element(value);
        _writer.EndArray();
        return frame.Composed(_writer.Written, ValueKind.Array);
    }

    private Value Top(in ResultPlan result, ValueLists.Chain values, Frame frame)
    {
        var ranked = Ranked(result, values);
        _writer.BeginArray();
        for (var i = 0; i < ranked.Count && i < result.Number; i++)
        {
            _writer.BeginElement();
            _writer.NameAsWritten("rank"u8);
            _writer.Value(Value.Of(i + 1L));
            _writer.NameAsWritten("value"u8);
            _writer.Value(ranked[i].Value);
            _writer.End();
        }

        _writer.EndArray();
        return frame.Composed(_writer.Written, ValueKind.Array);
    }

    /// <summary>Out of the table, whose bytes move when it grows.</summary>
    private static Value Kept(in Value value, Frame frame) =>
        value.HasBytes ? frame.Arena.Add(value.Utf8, value.Kind) : value;

    /// <summary>By the order that was asked for; of equal ones the earlier first.</summary>
    private List<(Value Value, Value[] Order)> Ranked(ResultPlan result, ValueLists.Chain values)
    {
        _ranked.Clear();
        foreach (var packed in values) _ranked.Add(PackExpr.Unpack(packed, result.Descending!.Count));
        for (var i = 0; i < result.Descending!.Count; i++) Align(_ranked, i);
        var inOrder = _ranked.Order(Comparer<(Value Value, Value[] Order)>.Create((a, b) =>
            Compare(a.Order, b.Order, result.Descending!))).ToList();
        _ranked.Clear();
        return inOrder;
    }

    private static int Compare(Value[] a, Value[] b, IReadOnlyList<bool> descending)
    {
        for (var i = 0; i < a.Length; i++)
        {
            var order = Compare(a[i], b[i]);
            if (order != 0) return descending[i] ? -order : order;
        }

        return 0;
    }

    /// <summary>
    /// Text that can be what others are is that: pair by pair '10' is before '9', that before 9.5, and that before
    /// '10', which is no order.
    /// </summary>
    private static void Align(List<(Value Value, Value[] Order)> ranked, int column)
    {
        var (hasNumbers, hasTimes) = (false, false);
        foreach (var (_, order) in ranked)
        {
            hasNumbers |= RankOf(order[column]) == NumberRank;
            hasTimes |= order[column].Kind == ValueKind.DateTime;
        }

        if (!hasNumbers && !hasTimes) return;
        foreach (var (_, order) in ranked)
        {
            ref var value = ref order[column];
            if (value.Kind != ValueKind.Text) continue;
            if (hasNumbers && Conversion.TryNumber(value, out var number)) value = number;
            else if (hasTimes && Conversion.TryDateTime(value, out var time)) value = time;
        }
    }

    /// <summary>Null is least, and values of different types are ordered by these.</summary>
    private static int Compare(in Value a, in Value b)
    {
        var ranks = RankOf(a).CompareTo(RankOf(b));
        return ranks == 0 && Comparison.TryCompare(a, b, out var order) ? order : ranks;
    }

    private static int RankOf(in Value value) => value.Kind switch
    {
        ValueKind.Null => 0,
        ValueKind.Bit or ValueKind.BigInt or ValueKind.Float => NumberRank,
        ValueKind.Text => 2,
        ValueKind.DateTime => 3,
        ValueKind.Record => 4,
        _ => 5,
    };

    private Value Continuous(in ResultPlan result, ValueLists.Chain values)
    {
        Sort(result, values);
        var place = result.Number * (_numbers.Count - 1);
        var below = (int)Math.Floor(place);
        var above = (int)Math.Ceiling(place);
        var low = _numbers[below];
        return Value.Of(below == above ? low : low + ((_numbers[above] - low) * (place - below)));
    }

    /// <summary>One of the values, of its own type.</summary>
    private Value Discrete(in ResultPlan result, ValueLists.Chain values)
    {
        _given.Clear();
        foreach (var value in values) _given.Add(value);
        _given.Sort(static (a, b) => Comparison.TryCompare(a, b, out var order) ? order : 0);
        if (result.Descending is [true]) _given.Reverse();
        // The first value whose share of values up to it reaches what is asked for.
        var place = (int)Math.Ceiling((result.Number * _given.Count) - 1e-9) - 1;
        return _given[Math.Clamp(place, 0, _given.Count - 1)];
    }

    private void Sort(in ResultPlan result, ValueLists.Chain values)
    {
        _numbers.Clear();
        foreach (var value in values) _numbers.Add(value.AsNumber);
        _numbers.Sort();
        if (result.Descending is [true]) _numbers.Reverse();
    }
}
