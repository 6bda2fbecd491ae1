namespace Millrace.Saql.Planning;

/// <summary>Where a query is answered, and why there, for people.</summary>
internal static class ScopeText
{
    public static string Of(QueryPlan plan)
    {
        var (operators, analytics) = (plan.Parts.Operators, plan.Parts.Analytics);
        if (plan.Scope == QueryScope.PerPartition)
        {
            return analytics.Count == 0 && operators.All(one => one is ReferencePlan or ApplyPlan)
                ? "each partition for itself: no state of rows"
                : "each partition for itself: all that is grouped, joined or looked back at has the device id or " +
                    "PartitionId";
        }

        if (plan.Repartition is { } parted)
            return $"each key for itself: rows go by repartition.<query> to the place of {parted.Text}";
        var cause = operators.FirstOrDefault(one => !one.IsPartitionLocal) switch
        {
            WindowPlan window => WindowText.Of(window),
            JoinPlan join => $"join on {join.Text}",
            MatchPlan match => $"match_recognize, pattern: {match.Text}",
            _ => analytics.First(one => !one.IsPartitionLocal).Text,
        };
        return $"one answer over all partitions: {cause}\n" +
            "  (there is no key by which all that it groups, joins or looks back at could be parted)";
    }
}
