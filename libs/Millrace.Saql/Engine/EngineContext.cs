using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>What the parts of one engine share.</summary>
internal sealed class EngineContext(
    QueryPlan plan, QueryEngineOptions options, TopicPartition[] sources, IQueryRowSink sink)
{
    private (uint Row, int Source, long Offset, int Element)? _reported;
    private ReaderCheck[] _earlier = [];
    private uint _earlierRow;

    public Frame Frame { get; } = new(
        plan.Parts.MemoCount, [.. sources.Select(source => source.Partition)], plan.Models.Count,
        options.PatternTimeMax);

    public QueryPlan Plan => plan;

    public QueryEngineOptions Options => options;

    public TopicPartition[] Sources => sources;

    public IQueryRowSink Sink => sink;

    /// <summary>Groups of a plan that is answered by partition are kept apart when one engine reads several.</summary>
    public bool SeparatesPartitions { get; } = plan.Scope == QueryScope.PerPartition &&
        sources.Select(source => source.Partition).Distinct().Count() > 1;

    /// <summary>The operators of each pipeline look at this before each row.</summary>
    public Action<OperatorState> NextDueChanged { get; set; } = _ => { };

    /// <summary>The row that begins went on routes before too, where these may fail.</summary>
    public void BeginRow(ReaderCheck[] earlier) => (_earlier, _earlierRow) = (earlier, Frame.Row);

    /// <summary>
    /// Tells the failure in the frame: one of a row, wherever else it fails, because what becomes of it is one letter.
    /// </summary>
    /// <param name="isTaken">The query had taken the row, and it failed in an expression.</param>
    public void ReportFailure(bool isTaken = true)
    {
        ref readonly var origin = ref Frame.Origin;
        var row = (Frame.Row, origin.Source, origin.Offset, origin.Element);
        if (_reported == row || IsToldElsewhere()) return;
        _reported = row;
        Fail(sources[origin.Source], origin.Offset, origin.Element, Frame.Failure!, Frame.FailureReason, isTaken);
    }

    private bool IsToldElsewhere()
    {
        if (_earlier.Length == 0 || _earlierRow != Frame.Row) return false;
        var (failure, reason) = (Frame.Failure!, Frame.FailureReason);
        var isTold = Array.Exists(_earlier, check => check.Fails(Frame));
        Frame.ClearFailure();
        Frame.Fail(failure, reason);
        return isTold;
    }

    /// <summary>A late record is taken, and what fails is its.</summary>
    public bool TakesLate { get; set; }

    public void Fail(
        TopicPartition source, long offset, int element, ErrorDefinition error, string reason, bool isTaken = false) =>
        sink.Failed(new QueryRowFailure(
            source, offset, element, error.Code, $"{error.What} {reason}", TakesLate, isTaken));
}
