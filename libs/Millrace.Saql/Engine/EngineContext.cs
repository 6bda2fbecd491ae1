using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>What the parts of one engine share.</summary>
internal sealed class EngineContext(
    QueryPlan plan, QueryEngineOptions options, TopicPartition[] sources, IQueryRowSink sink)
{
    /// <summary>So many rows that a row makes may fail before it fails once more itself.</summary>
    private const int JudgedMax = 256;

    private readonly HashSet<(uint Row, int Source, long Offset, int Element)> _judged = [];
    private readonly Queue<(uint Row, int Source, long Offset, int Element)> _judgedInOrder = new();
    private RouteFailures? _routes;
    private uint _routesRow;

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

    /// <summary>The row that begins went on other routes too, where these may fail it.</summary>
    public void BeginRow(RouteFailures routes) => (_routes, _routesRow) = (routes, Frame.Row);

    /// <summary>
    /// Tells the failure in the frame: one of a row, wherever else it fails, because what becomes of it is one letter.
    /// </summary>
    /// <param name="isTaken">The query had taken the row, and it failed in an expression.</param>
    public void ReportFailure(bool isTaken = true)
    {
        ref readonly var origin = ref Frame.Origin;
        var row = (Frame.Row, origin.Source, origin.Offset, origin.Element);
        if (!_judged.Add(row)) return;
        _judgedInOrder.Enqueue(row);
        if (_judgedInOrder.Count > JudgedMax) _judged.Remove(_judgedInOrder.Dequeue());
        var verdict = Judge();
        if (verdict == FailureVerdict.ToldElsewhere) return;
        sink.Failed(new QueryRowFailure(sources[origin.Source], origin.Offset, origin.Element, Frame.Failure!.Code,
            TextOf(Frame.Failure, Frame.FailureReason), TakesLate, isTaken)
        {
            CountsElsewhere = verdict == FailureVerdict.CountsElsewhere,
        });
    }

    private FailureVerdict Judge()
    {
        if (_routes is not { } routes || _routesRow != Frame.Row) return FailureVerdict.Counts;
        var (failure, reason) = (Frame.Failure!, Frame.FailureReason);
        var verdict = routes.Judge(Frame);
        Frame.ClearFailure();
        Frame.Fail(failure, reason);
        return verdict;
    }

    /// <summary>A late record is taken, and what fails is its.</summary>
    public bool TakesLate { get; set; }

    /// <summary>A record, or an element of it, that could not be read.</summary>
    public void Fail(TopicPartition source, long offset, int element, ErrorDefinition error, string reason) =>
        sink.Failed(new QueryRowFailure(
            source, offset, element, error.Code, TextOf(error, reason), TakesLate, IsTaken: false));

    public static string TextOf(ErrorDefinition error, string reason) => $"{error.What} {reason}";
}
