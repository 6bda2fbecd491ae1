using Millrace.Saql.Expressions;

namespace Millrace.Saql.Planning;

/// <summary>
/// The way of an input's rows to the places of one key, and what takes them there. An input has one for each key that
/// its rows are needed by, and a row is sent once for each.
/// </summary>
/// <param name="number">Stands with each row between the stages, so it never changes for a text.</param>
/// <param name="keys">What rows are placed by; null when they stay.</param>
/// <param name="text">The key, for people.</param>
internal sealed class RoutePlan(int number, FeedPlan feed, Expr[]? keys, string text) : RowRoot
{
    public int Number => number;

    public FeedPlan Feed => feed;

    public Expr[]? Keys => keys;

    public string Text => text;

    /// <summary>The slots of the row that are sent: those that are read at the route's end. All others are null there.
    /// </summary>
    public IReadOnlySet<int> Sent { get; set; } = new HashSet<int>();

    /// <summary>Null when a row that fails here fails on no other route, as far as can be seen.</summary>
    public RouteFailures? Failures { get; private set; }

    /// <summary>All readers are there, and those of the input's other routes.</summary>
    public void Complete(IEnumerable<RoutePlan> before, IEnumerable<RoutePlan> behind)
    {
        Failures = RouteFailures.Of([.. before.SelectMany(route => route.Tellers)], [.. Tellers],
            [.. behind.SelectMany(route => route.Tellers)]);
        var read = Analytics.Concat(Tellers).SelectMany(reader => reader.Reads).Concat(Failures?.Reads ?? []);
        Sent = Expr.Within(read).OfType<SlotExpr>().Select(value => value.Slot).ToHashSet();
    }

    /// <summary>Those whose failure is told; what a function with OVER cannot compute, its readers tell.</summary>
    private IEnumerable<IReader> Tellers => Outputs.Concat<IReader>(Inlets);
}
