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
}
