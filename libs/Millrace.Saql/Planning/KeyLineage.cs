using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

/// <summary>
/// Traces a value of a row back to the rows of the inputs that it came of: which of their values it surely is, or is
/// found equal to by a join.
/// </summary>
internal sealed class KeyLineage
{
    private readonly ILookup<OperatorPlan, (RowRoot From, Inlet Inlet)> _inlets;

    private readonly bool _looksInside;

    // Ways part and meet again, so that each root is gone through once, not once a way.
    private readonly Dictionary<RowRoot, IReadOnlyList<FeedPlan>> _feeds = [];
    private readonly Dictionary<(RowRoot Root, int Slot), Dictionary<FeedPlan, Expr>?> _traces = [];

    /// <param name="looksInside">
    /// What is computed of an input's row is a value of it unless a function with OVER stands in it; else only where
    /// the input has no such function at all.
    /// </param>
    public KeyLineage(IEnumerable<RowRoot> roots, bool looksInside)
    {
        _looksInside = looksInside;
        _inlets = roots.SelectMany(root => root.Inlets.Select(inlet => (From: root, Inlet: inlet)))
            .ToLookup(way => way.Inlet.Operator);
    }

    public IEnumerable<(RowRoot From, Inlet Inlet)> WaysInto(OperatorPlan target) => _inlets[target];

    /// <summary>The inputs that the rows of a root are made of.</summary>
    public IEnumerable<FeedPlan> FeedsOf(RowRoot root)
    {
        if (root is FeedPlan feed) return [feed];
        if (_feeds.TryGetValue(root, out var known)) return known;
        return _feeds[root] = [.. _inlets[(OperatorPlan)root].SelectMany(way => FeedsOf(way.From)).Distinct()];
    }

    /// <summary>For each of these inputs what the value is there; null when it is not one value of each.</summary>
    public Dictionary<FeedPlan, Expr>? Trace(RowRoot root, Expr value)
    {
        value = Plain(value);
        if (root is FeedPlan feed)
        {
            // A function with OVER has state, and the first stage keeps none.
            var isSure = feed.Analytics.Count == 0 || (_looksInside
                ? !Expr.Within([value]).Any(part => part is AnalyticExpr)
                : value is SlotExpr or PartitionExpr);
            return isSure ? new Dictionary<FeedPlan, Expr> { [feed] = value } : null;
        }

        if (value is not SlotExpr { Slot: var slot }) return null;
        if (_traces.TryGetValue((root, slot), out var known)) return known;
        return _traces[(root, slot)] =
            Merge(_inlets[(OperatorPlan)root].Select(way => (way.From, ValueBehind(way.Inlet, slot))));
    }

    /// <summary>The same for a value that several ways give.</summary>
    public Dictionary<FeedPlan, Expr>? Merge(IEnumerable<(RowRoot From, Expr? Value)> ways)
    {
        var merged = new Dictionary<FeedPlan, Expr>();
        foreach (var (from, value) in ways)
        {
            if (value is null || Trace(from, value) is not { } traced) return null;
            foreach (var (feed, expression) in traced)
            {
                if (!merged.TryAdd(feed, expression) && !IsSame(merged[feed], expression)) return null;
            }
        }

        return merged;
    }

    /// <summary>Whether the two always give the same on rows of one root.</summary>
    public static bool IsSame(Expr a, Expr b)
    {
        (a, b) = (Plain(a), Plain(b));
        return ReferenceEquals(a, b) || (a, b) switch
        {
            (SlotExpr one, SlotExpr other) => one.Slot == other.Slot,
            (PartitionExpr, PartitionExpr) => true,
            _ => false,
        };
    }

    /// <summary>What stands in the slot of an operator's row, as a value of the row that came in this way.</summary>
    private Expr? ValueBehind(Inlet inlet, int slot) => inlet switch
    {
        WindowInlet window => slot < window.Keys.Length ? window.Keys[slot] : null,
        ApplyInlet apply => Carried(apply.Side.Slots, apply.Values, slot),
        MatchInlet match => Carried(((MatchPlan)match.Operator).Side.Slots, match.Values, slot),
        JoinInlet join => Carried(join.Side.Slots, join.Values, slot) ?? EqualOfOtherSide(join, slot),
        _ => null,
    };

    private static Expr? Carried(IReadOnlyList<int> slots, IReadOnlyList<Expr> values, int slot)
    {
        for (var i = 0; i < slots.Count; i++)
        {
            if (slots[i] == slot) return values[i];
        }

        return null;
    }

    /// <summary>A column of the other side that ON says is equal to one of this side.</summary>
    private Expr? EqualOfOtherSide(JoinInlet inlet, int slot)
    {
        // Where the other side may be missing, its column is null.
        if (inlet.Operator is not JoinPlan join || (join.IsOuter && inlet.IsLeft)) return null;
        var others = _inlets[join].Select(way => (JoinInlet)way.Inlet).Where(other => other.IsLeft != inlet.IsLeft)
            .ToList();
        for (var i = 0; i < inlet.Keys.Length; i++)
        {
            var at = i;
            if (others.All(other => Carried(other.Side.Slots, other.Values, slot) is { } value
                && IsSame(value, other.Keys[at])))
                return inlet.Keys[at];
        }

        return null;
    }

    private static Expr Plain(Expr value)
    {
        while (value is MemoExpr memo) value = memo.Inner;
        return value;
    }
}
