using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>An analytic function at work. Rows come in the order of their time.</summary>
internal abstract class AnalyticState(AnalyticPlan plan, EngineContext context) : RememberingState
{
    public bool SeparatesPartitions { get; } = plan.IsPartitionLocal && context.SeparatesPartitions;

    protected AnalyticPlan Plan => plan;

    protected EngineContext Context => context;

    protected Frame Frame => context.Frame;

    public static AnalyticState Of(AnalyticPlan plan, EngineContext context) => plan.Kind switch
    {
        AnalyticKind.Lag => new LagState(plan, context),
        AnalyticKind.Spike or AnalyticKind.Change => new AnomalyState(plan, context),
        AnalyticKind.IsFirst => new FirstState(plan, context),
        _ => new OverState(plan, context),
    };

    /// <summary>The function's value for the row in the frame, which becomes part of what later rows see.</summary>
    /// <param name="isTaken">It fulfils WHEN.</param>
    public abstract Value Compute(ReadOnlySpan<byte> key, bool isTaken, AnalyticInlet inlet);
}

/// <summary>The way of one root's rows into an analytic function.</summary>
internal sealed class AnalyticInletState(AnalyticInlet plan, AnalyticState analytic, Frame frame)
{
    private readonly KeyWriter _key = new();

    /// <summary>Computes and remembers the value; a failure is remembered with it and fails who reads it.</summary>
    public void Take()
    {
        frame.ClearFailure();
        foreach (var filter in plan.Filters)
        {
            // A condition that fails is told by the one who writes the row.
            if (filter.Test(frame) != Truth.True) return;
        }

        var value = Value.Null;
        if (_key.TryWrite(plan.Keys, frame, analytic.SeparatesPartitions))
        {
            var isTaken = plan.When is null || plan.When.Test(frame) == Truth.True;
            if (frame.Failure is null) value = analytic.Compute(_key.Written, isTaken, plan);
        }

        frame.Remember(plan.Memo, value);
        frame.ClearFailure();
    }
}

/// <summary>The value that an analytic function has for the row.</summary>
internal sealed class AnalyticExpr(int memo, ValueKind? type) : Expr
{
    /// <summary>That of the inlet which computes it.</summary>
    public int Memo => memo;

    public override ValueKind? Type => type;

    /// <summary>It depends on earlier rows.</summary>
    public override bool IsSteady => false;

    public override IReadOnlyList<Expr> Parts => [];

    public override Value Evaluate(Frame frame) => frame.TryRemembered(memo, out var value) ? value : Value.Null;
}
