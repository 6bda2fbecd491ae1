using Millrace.Saql.Engine;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

/// <summary>A bound expression, ready to be evaluated. It holds no state and serves many engines.</summary>
internal abstract class Expr
{
    /// <summary>The type of every value but null that it gives; null when that depends on the value.</summary>
    public virtual ValueKind? Type => null;

    /// <summary>
    /// Whether rows of different log partitions always differ in it: a device id or a partition's number.
    /// </summary>
    public virtual bool SeparatesPartitions => false;

    public virtual bool IsDeviceId => false;

    /// <summary>
    /// Whether it adds nothing of its own to what makes the value but the row: it gives the same wherever it is
    /// evaluated, and whenever.
    /// </summary>
    public virtual bool IsSteady => true;

    /// <summary>What it is computed of, right below it.</summary>
    public abstract IReadOnlyList<Expr> Parts { get; }

    public abstract Value Evaluate(Frame frame);

    /// <summary>
    /// These and all that they are computed of, each once: columns of steps that read one another share their parts.
    /// </summary>
    public static IEnumerable<Expr> Within(IEnumerable<Expr> expressions)
    {
        var seen = new HashSet<Expr>();
        var left = new Stack<Expr>(expressions);
        while (left.TryPop(out var next))
        {
            if (!seen.Add(next)) continue;
            yield return next;
            foreach (var part in next.Parts) left.Push(part);
        }
    }

    /// <summary>The value as a condition.</summary>
    public virtual Truth Test(Frame frame)
    {
        var value = Evaluate(frame);
        if (value.Kind == ValueKind.Bit) return value.Bit ? Truth.True : Truth.False;
        if (!value.IsNull)
            frame.Fail(SaqlErrors.ValueMismatch,
                $"A {value.Kind.Name()} is not a condition; compare it with something.");
        return Truth.Unknown;
    }
}

/// <summary>An expression that is true, false or unknown.</summary>
internal abstract class Condition : Expr
{
    public sealed override ValueKind? Type => ValueKind.Bit;

    public sealed override Value Evaluate(Frame frame) => Value.Of(Test(frame));

    public abstract override Truth Test(Frame frame);
}

internal sealed class ConstantExpr(Value value) : Expr
{
    public Value Value { get; } = value;

    public override ValueKind? Type => Value.IsNull ? null : Value.Kind;

    public override IReadOnlyList<Expr> Parts => [];

    public override Value Evaluate(Frame frame) => Value;
}

/// <summary>A decoded field, a metadata field, a group key or an aggregate's result.</summary>
internal sealed class SlotExpr(
    int slot, ValueKind? type = null, bool separatesPartitions = false, bool isDeviceId = false) : Expr
{
    public int Slot { get; } = slot;

    public override ValueKind? Type { get; } = type;

    public override bool SeparatesPartitions { get; } = separatesPartitions;

    public override bool IsDeviceId { get; } = isDeviceId;

    public override IReadOnlyList<Expr> Parts => [];

    public override Value Evaluate(Frame frame) => frame.Slots[Slot];
}

internal sealed class TimestampExpr : Expr
{
    public override ValueKind? Type => ValueKind.DateTime;

    public override IReadOnlyList<Expr> Parts => [];

    public override Value Evaluate(Frame frame) => Value.OfTicks(frame.Origin.Timestamp);
}

/// <summary>A column of a step that several read: computed once a row.</summary>
internal sealed class MemoExpr(Expr inner, int memo) : Expr
{
    public Expr Inner => inner;

    /// <summary>Levels of expressions below and including this one, also those of the columns that it reads.</summary>
    public int Depth { get; } = 1 + DepthOf(inner);

    public override ValueKind? Type => inner.Type;

    public override bool SeparatesPartitions => inner.SeparatesPartitions;

    public override bool IsDeviceId => inner.IsDeviceId;

    public override IReadOnlyList<Expr> Parts => [inner];

    public override Value Evaluate(Frame frame)
    {
        if (frame.TryRemembered(memo, out var value)) return value;
        var alreadyFailed = frame.Failure is not null;
        value = inner.Evaluate(frame);
        return alreadyFailed ? value : frame.Remember(memo, value);
    }

    private static int DepthOf(Expr expression) => expression is MemoExpr memo
        ? memo.Depth
        : 1 + expression.Parts.Select(DepthOf).DefaultIfEmpty().Max();
}

/// <summary>The log partition of the row: the key that PARTITION BY PartitionId adds.</summary>
internal sealed class PartitionExpr : Expr
{
    public override ValueKind? Type => ValueKind.BigInt;

    public override bool SeparatesPartitions => true;

    public override IReadOnlyList<Expr> Parts => [];

    public override Value Evaluate(Frame frame) => Value.Of((long)frame.Partition);
}
