using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// An operator at work. Rows come in the order of their time; what is due is closed before later ones.
/// </summary>
internal abstract class OperatorState
{
    private long _nextDue = long.MaxValue;

    protected OperatorState(OperatorPlan plan, EngineContext context)
    {
        OperatorPlan = plan;
        Context = context;
        Frame = context.Frame;
        Root = new RootState(plan, new Value[plan.SlotCount], context);
    }

    public OperatorPlan OperatorPlan { get; }

    public RootState Root { get; }

    /// <summary>Whether something waits for time to pass.</summary>
    public virtual bool IsWaiting => false;

    /// <summary>About how much it keeps.</summary>
    public virtual long StateBytes => 0;

    /// <summary>What happens when time has passed this; long.MaxValue when nothing waits.</summary>
    public long NextDue
    {
        get => _nextDue;
        protected set
        {
            if (_nextDue == value) return;
            _nextDue = value;
            Context.NextDueChanged(this);
        }
    }

    protected EngineContext Context { get; }

    protected Frame Frame { get; }

    public abstract InletState CreateInlet(Inlet inlet);

    /// <summary>Does what is due at <see cref="NextDue"/>.</summary>
    public virtual void CloseNext() => throw new InvalidOperationException("nothing is ever due");

    public virtual void Save(StateWriter writer)
    {
    }

    public virtual void Restore(ref StateReader reader)
    {
    }
}

/// <summary>The way of one root's rows into an operator.</summary>
internal abstract class InletState
{
    /// <summary>Takes the row in the frame, and leaves the frame as it was.</summary>
    public abstract void Take();
}
