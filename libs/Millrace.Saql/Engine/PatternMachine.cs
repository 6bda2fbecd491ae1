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

    private readonly Stack<(int Step, int Row)> _ways = new();
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
        var matched = context.Frame.Matched;
        matched.Clear();
        _ways.Clear();
        _ways.Push((0, start));
        var last = rows[start].Origin.Timestamp + plan.Duration - 1;
        for (var steps = 0; _ways.TryPop(out var way); steps++)
        {
            if (steps == StepsMax) return Fail(rows[start]);
            var (at, row) = way;
            matched.RemoveRange(row - start, matched.Count - (row - start));
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
                    if (row == rows.Count && !isOver) return PatternOutcome.Open;
                    if (row == rows.Count || rows[row].Origin.Timestamp > last) break;
                    matched.Add((rows[row].Values, step.First));
                    if (Fits(step.First, rows[row])) _ways.Push((at + 1, row + 1));
                    break;
            }
        }

        return PatternOutcome.None;
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
