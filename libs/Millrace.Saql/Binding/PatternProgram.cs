using Millrace.Saql.Parsing;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>
/// PATTERN to steps of a machine that tries in the order that the pattern says. A repetition that took no row is the
/// last: of what is repeated and may take none there are steps for a way that has taken a row since it began, and
/// others for one that has not, so that no way comes to a step again without a row between.
/// </summary>
internal sealed class PatternProgram(IReadOnlyList<string> variables)
{
    /// <summary>More than a text without repetitions within repetitions can come to.</summary>
    private const int StepsMax = 500_000;

    /// <summary>From the last to the first: what a part goes on with is there before the part.</summary>
    private readonly List<PatternStep> _steps = [];

    /// <summary>What is made once, or each level of repetitions would double all that is in it.</summary>
    private readonly Dictionary<(TextSpan Part, int OnRows, int OnNone), int> _parts = [];
    private readonly Dictionary<(TextSpan Part, int OnRows), int> _repeats = [];

    /// <summary>Null when they are too many.</summary>
    public IReadOnlyList<PatternStep>? Of(PatternSyntax pattern)
    {
        var accept = Add(new PatternStep(PatternStepKind.Accept));
        GoTo(Make(pattern, accept, accept));
        if (IsOver) return null;
        var last = _steps.Count - 1;
        return [.. Enumerable.Reverse(_steps).Select(step => step.Kind switch
        {
            PatternStepKind.Split => step with { First = last - step.First, Second = last - step.Second },
            PatternStepKind.Jump => step with { First = last - step.First },
            _ => step,
        })];
    }

    private bool IsOver => _steps.Count > StepsMax;

    /// <summary>The step that a part begins with.</summary>
    /// <param name="onRows">What a way through it goes on with that took rows.</param>
    /// <param name="onNone">What one goes on with that took none.</param>
    private int Make(PatternSyntax part, int onRows, int onNone)
    {
        if (IsOver) return 0;
        if (!part.IsNullable) onNone = onRows;
        var key = (part.Place, onRows, onNone);
        if (!_parts.TryGetValue(key, out var step)) _parts[key] = step = MakeNew(part, onRows, onNone);
        return step;
    }

    private int MakeNew(PatternSyntax part, int onRows, int onNone) => part switch
    {
        PatternVariable variable => Row(variable, onRows),
        PatternSequence sequence => Sequence(sequence.Parts, onRows, onNone),
        PatternChoice choice => choice.Parts.Reverse().Select(one => Make(one, onRows, onNone))
            .Aggregate((others, one) => Split(one, others)),
        PatternRepeat { Sign: '?' } option => Split(Make(option.Part, onRows, onNone), onNone),
        PatternRepeat { Sign: '+' } repeat => Make(repeat.Part, Again(repeat, onRows), onNone),
        PatternRepeat repeat when onNone == onRows => Again(repeat, onRows),
        PatternRepeat repeat => Split(Make(repeat.Part, Again(repeat, onRows), onNone), onNone),
        _ => throw new InvalidOperationException($"A pattern has a {part.GetType().Name}."),
    };

    private int Row(PatternVariable variable, int next)
    {
        GoTo(next);
        return Add(new PatternStep(PatternStepKind.Row, variable.Name == "." ? -1 : variables.ToList()
            .FindIndex(known => known.Equals(variable.Name, StringComparison.OrdinalIgnoreCase))));
    }

    private int Sequence(IReadOnlyList<PatternSyntax> parts, int onRows, int onNone)
    {
        for (var i = parts.Count - 1; i > 0; i--)
            (onRows, onNone) = (Make(parts[i], onRows, onRows), Make(parts[i], onRows, onNone));
        return Make(parts[0], onRows, onNone);
    }

    /// <summary>Behind a repetition that took rows: the next one, or what follows.</summary>
    private int Again(PatternRepeat repeat, int next)
    {
        if (_repeats.TryGetValue((repeat.Place, next), out var again)) return again;
        _repeats[(repeat.Place, next)] = again = Add(default);
        var part = Make(repeat.Part, again, next);
        _steps[again] = new PatternStep(PatternStepKind.Split, part, next);
        return again;
    }

    private int Split(int first, int second) => Add(new PatternStep(PatternStepKind.Split, first, second));

    /// <summary>A row's step goes on with the one that was made before it.</summary>
    private void GoTo(int step)
    {
        if (step != _steps.Count - 1) Add(new PatternStep(PatternStepKind.Jump, step));
    }

    private int Add(PatternStep step)
    {
        _steps.Add(step);
        return _steps.Count - 1;
    }
}
