using Millrace.Primitives;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

internal enum PatternOutcome : byte
{
    None,
    Match,

    /// <summary>Rows to come decide.</summary>
    Open,
}

/// <summary>
/// Tries a pattern on neighbouring rows, in the order that it prefers; the rows matched are in the frame.
/// </summary>
internal sealed class PatternMachine(MatchPlan plan, EngineContext context)
{
    /// <summary>More tries than this for one row are a pattern gone wrong.</summary>
    private const int StepsMax = 1_000_000;

    private readonly bool _looksAtOneRow = plan.LooksAtOneRow;
    private readonly Stack<(int Step, int Row)> _ways = new();

    /// <summary>A bit for each row and step that was come to.</summary>
    private ulong[] _tried = [];
    private MatchRow? _newest;
    private (ErrorDefinition Error, string Reason)? _newestFailure;

    /// <summary>The row that came just now: what it fails with waits for <see cref="End"/>.</summary>
    public void Begin(MatchRow newest) => (_newest, _newestFailure) = (newest, null);

    /// <summary>Tells what the newest row failed with, as of that row, which is in the frame again.</summary>
    public void End()
    {
        _newest = null;
        if (_newestFailure is not { } failure) return;
        context.Frame.Fail(failure.Error, failure.Reason);
        context.ReportFailure();
    }

    public PatternOutcome Run(List<MatchRow> rows, int start, bool isOver)
    {
        // Those of the ways that were preferred to the one that waits are in vain as before.
        if (_looksAtOneRow && !isOver && rows[start].Waiting is { } waiting)
        {
            if (Run(rows, start, isOver, (waiting.Step, start + waiting.Rows)) == PatternOutcome.Open)
                return PatternOutcome.Open;
        }

        return Run(rows, start, isOver, (0, start));
    }

    private PatternOutcome Run(List<MatchRow> rows, int start, bool isOver, (int Step, int Row) from)
    {
        var matched = context.Frame.Matched;
        matched.Clear();
        _ways.Clear();
        _ways.Push(from);
        var first = from.Row;
        if (_looksAtOneRow) ForgetTried(rows.Count - first + 1);
        var last = rows[start].Origin.Timestamp + plan.Duration - 1;
        for (var steps = 0; _ways.TryPop(out var way); steps++)
        {
            if (steps == StepsMax) return Fail(rows[start]);
            var (at, row) = way;
            if (_looksAtOneRow && !IsNew(row - first, at)) continue;
            matched.RemoveRange(row - first, matched.Count - (row - first));
            var step = plan.Program[at];
            switch (step.Kind)
            {
                case PatternStepKind.Split:
                    _ways.Push((step.Second, row));
                    _ways.Push((step.First, row));
                    break;
                case PatternStepKind.Jump:
                    _ways.Push((step.First, row));
                    break;
                case PatternStepKind.Accept:
                    if (row > start) return PatternOutcome.Match;
                    break;
                default:
                    if (row == rows.Count && !isOver)
                    {
                        rows[start].Waiting = (at, row - start);
                        return PatternOutcome.Open;
                    }

                    if (row == rows.Count || rows[row].Origin.Timestamp > last) break;
                    matched.Add((rows[row].Values, step.First));
                    if (Fits(step.First, rows[row])) _ways.Push((at + 1, row + 1));
                    break;
            }
        }

        return PatternOutcome.None;
    }

    private void ForgetTried(int rows)
    {
        var words = ((rows * plan.Program.Count) + 63) / 64;
        if (_tried.Length < words) _tried = new ulong[words * 2];
        else _tried.AsSpan(0, words).Clear();
    }

    /// <summary>Whether no way came to the step with this row before.</summary>
    private bool IsNew(int row, int step)
    {
        var bit = (row * plan.Program.Count) + step;
        ref var word = ref _tried[bit / 64];
        var isNew = (word & (1UL << (bit % 64))) == 0;
        word |= 1UL << (bit % 64);
        return isNew;
    }

    private bool Fits(int variable, MatchRow row)
    {
        if (variable < 0 || plan.Defines[variable] is not { } condition) return true;
        var frame = context.Frame;
        frame.Origin = row.Origin;
        frame.NextRow();
        frame.ClearFailure();
        var fits = condition.Test(frame) == Truth.True;
        if (frame.Failure is null) return fits;
        Tell(row);
        return false;
    }

    private PatternOutcome Fail(MatchRow row)
    {
        context.Frame.Origin = row.Origin;
        context.Frame.NextRow();
        context.Frame.ClearFailure();
        context.Frame.Fail(SaqlErrors.BadArgumentValue,
            $"The pattern {plan.Text} was tried in {StepsMax} ways in vain.");
        Tell(row);
        return PatternOutcome.None;
    }

    private void Tell(MatchRow row)
    {
        if (row.IsTold) return;
        row.IsTold = true;
        if (row == _newest) _newestFailure = (context.Frame.Failure!, context.Frame.FailureReason);
        else context.ReportFailure();
    }
}
