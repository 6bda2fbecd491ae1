using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// An operator at work. Rows come in the order of their time; what is due is closed before later ones.
/// </summary>
internal abstract class OperatorState : RememberingState
{
    private Memory _memory = NoMemory.One;

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
    public bool IsWaiting => _memory.IsWaiting;

    public override long StateBytes => _memory.StateBytes;

    /// <summary>What happens when time has passed this; long.MaxValue when nothing waits.</summary>
    public long NextDue
    {
        get => _memory.NextDue;
        protected set
        {
            if (_memory.NextDue == value) return;
            _memory.NextDue = value;
            Context.NextDueChanged(this);
        }
    }

    protected EngineContext Context { get; }

    protected Frame Frame { get; }

    public override void Enter(Memory memory) => _memory = memory;

    public abstract InletState CreateInlet(Inlet inlet);

    /// <summary>Does what is due at <see cref="NextDue"/>.</summary>
    public virtual void CloseNext() => throw new InvalidOperationException("nothing is ever due");

    private sealed class NoMemory : Memory
    {
        public static readonly NoMemory One = new();

        public override long StateBytes => 0;

        public override bool IsEmptyAt(long time) => true;
    }
}

/// <summary>The way of one root's rows into an operator.</summary>
internal abstract class InletState
{
    /// <summary>Takes the row in the frame, and leaves the frame as it was.</summary>
    public abstract void Take();
}
