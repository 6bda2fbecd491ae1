using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>An input or an operator at work: its row, and what takes it.</summary>
internal sealed class RootState
{
    private readonly EngineContext _context;
    private readonly Frame _frame;
    private readonly RouteFailures? _failures;
    private readonly OutputState[] _outputs;
    private AnalyticInletState[] _analytics = [];
    private InletState[] _inlets = [];

    public RootState(RowRoot root, Value[] slots, EngineContext context)
    {
        (_context, _frame) = (context, context.Frame);
        _failures = root is RoutePlan route && !context.Options.TellsOnEachRoute ? route.Failures : null;
        Slots = slots;
        _outputs = [.. root.Outputs.Select(output => new OutputState(output, context))];
    }

    public Value[] Slots { get; }

    /// <summary>Operators are made after what they read, so they are tied in at the end.</summary>
    public void Connect(
        RowRoot root, IReadOnlyList<OperatorState> operators, IReadOnlyList<AnalyticState> analytics)
    {
        _inlets = [.. root.Inlets.Select(inlet => operators[inlet.Operator.Number].CreateInlet(inlet))];
        _analytics = [.. root.Analytics.Select(inlet =>
            new AnalyticInletState(inlet, analytics[inlet.Analytic.Number], _frame))];
    }

    /// <summary>Gives the row in the slots, whose origin the frame has, to all who read it.</summary>
    public void Dispatch()
    {
        _frame.Slots = Slots;
        _frame.NextRow();
        if (_failures is not null) _context.BeginRow(_failures);
        foreach (var analytic in _analytics) analytic.Take();
        foreach (var output in _outputs) output.Write();
        foreach (var inlet in _inlets) inlet.Take();
    }
}
