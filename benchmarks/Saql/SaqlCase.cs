namespace Millrace.Benchmarks.Saql;

/// <summary>A question, answered by the engine and by a loop.</summary>
/// <param name="Engine">Works through some events and says how many.</param>
/// <param name="Rows">How many rows the engine has given.</param>
/// <param name="WarmEvents">After so many events no state is new any more.</param>
internal sealed record SaqlCase(
    string Name, Func<int> Engine, Func<int> ByHand, Func<long> Rows, double? GoalNs = null, long WarmEvents = 0);
