using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.Saql.Engine;

/// <summary>What the parts of one engine share.</summary>
internal sealed class EngineContext(
    QueryPlan plan, QueryEngineOptions options, TopicPartition[] sources, IQueryRowSink sink)
{
    private readonly List<(ErrorDefinition Error, string Reason)> _reported = [];
    private uint _reportedRow;

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

    /// <summary>Tells the failure in the frame; the same one of the same row only once.</summary>
    /// <param name="isTaken">The query had taken the row, and it failed in an expression.</param>
    public void ReportFailure(bool isTaken = true)
    {
        if (_reportedRow != Frame.Row)
        {
            _reported.Clear();
            _reportedRow = Frame.Row;
        }

        var failure = (Frame.Failure!, Frame.FailureReason);
        if (_reported.Contains(failure)) return;
        _reported.Add(failure);
        ref readonly var origin = ref Frame.Origin;
        Fail(sources[origin.Source], origin.Offset, origin.Element, failure.Item1, failure.Item2, isTaken);
    }

    /// <summary>A late record is taken, and what fails is its.</summary>
    public bool TakesLate { get; set; }

    public void Fail(
        TopicPartition source, long offset, int element, ErrorDefinition error, string reason, bool isTaken = false) =>
        sink.Failed(new QueryRowFailure(
            source, offset, element, error.Code, $"{error.What} {reason}", TakesLate, isTaken));
}
