using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>
/// What an operator takes over from the rows that come in at one side: computed there, and then in a slot of its own
/// row. Grows as columns are asked for.
/// </summary>
internal sealed class CarriedSide(OperatorPlan target, int branches)
{
    private readonly Dictionary<string, SlotExpr> _known = new(StringComparer.Ordinal);
    private readonly List<Expr>[] _values = [.. Enumerable.Range(0, branches).Select(_ => new List<Expr>())];
    private readonly List<int> _slots = [];

    /// <summary>The slots of the operator's row, in the order of the values.</summary>
    public IReadOnlyList<int> Slots => _slots;

    /// <summary>The values on the rows of one branch.</summary>
    public IReadOnlyList<Expr> Values(int branch) => _values[branch];

    /// <param name="key">Tells values apart: of one key there is one slot.</param>
    public SlotExpr Carry(string key, IReadOnlyList<Expr> values)
    {
        if (_known.TryGetValue(key, out var known)) return known;
        for (var i = 0; i < values.Count; i++) _values[i].Add(values[i]);
        _slots.Add(target.NewSlot());
        var types = values.Select(value => value.Type).Distinct().ToList();
        return _known[key] = new SlotExpr(_slots[^1], types.Count == 1 ? types[0] : null,
            target.IsPartitionLocal && values.All(value => value.SeparatesPartitions),
            values.All(value => value.IsDeviceId));
    }
}

/// <summary>A source's columns as an operator's row has them.</summary>
/// <param name="prefix">Tells the sources of one side apart.</param>
internal sealed class CarriedNames(CarriedSide side, IReadOnlyList<RowNames> branches, string prefix) : RowNames
{
    public override IEnumerable<string> Known => branches[0].Known;

    public override Expr Timestamp => Carry("#time", branches.Select(branch => branch.Timestamp));

    public override IEnumerable<ColumnItem> Items
    {
        get
        {
            var items = branches.Select(branch => branch.Items.ToList()).ToList();
            for (var i = 0; i < items[0].Count; i++)
            {
                var item = i;
                yield return items[0][i] with { Value = Carry($"#{i}", items.Select(branch => branch[item].Value)) };
            }
        }
    }

    public override Expr? Resolve(ReadOnlySpan<string> path)
    {
        var values = new Expr[branches.Count];
        for (var i = 0; i < values.Length; i++)
        {
            if (branches[i].Resolve(path) is not { } value) return null;
            values[i] = value;
        }

        return values[0] is ConstantExpr ? values[0] : Carry($".{string.Join('\0', path.ToArray())}", values);
    }

    public override Expr? Meta(MetadataField field)
    {
        var values = branches.Select(branch => branch.Meta(field)).ToList();
        return values.Contains(null) ? null : Carry($"#{field}", values.Select(value => value!));
    }

    private SlotExpr Carry(string key, IEnumerable<Expr> values) => side.Carry(prefix + key, [.. values]);
}
