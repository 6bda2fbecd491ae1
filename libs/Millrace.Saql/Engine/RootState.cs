using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>An input or a window at work: its row, and what takes it.</summary>
internal sealed class RootState
{
    private readonly Frame _frame;
    private readonly OutputState[] _outputs;
    private readonly (WindowState Window, InletState Inlet)[] _windows;

    public RootState(RowRoot root, Value[] slots, EngineContext context)
    {
        _frame = context.Frame;
        Slots = slots;
        _outputs = [.. root.Outputs.Select(output => new OutputState(output, context))];
        _windows = new (WindowState, InletState)[root.Windows.Count];
    }

    public Value[] Slots { get; }

    /// <summary>Windows are made after what they read, so they are tied in at the end.</summary>
    public void Connect(RowRoot root, IReadOnlyList<WindowState> windows)
    {
        for (var i = 0; i < _windows.Length; i++)
            _windows[i] = (windows[root.Windows[i].Window.Number], new InletState(root.Windows[i]));
    }

    /// <summary>Gives the row in the slots, whose origin the frame has, to all who read it.</summary>
    public void Dispatch()
    {
        _frame.Slots = Slots;
        _frame.NextRow();
        foreach (var output in _outputs) output.Write();
        foreach (ref var reader in _windows.AsSpan()) reader.Window.Add(reader.Inlet);
    }
}
