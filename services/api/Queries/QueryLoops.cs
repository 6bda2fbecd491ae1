using Millrace.Contracts;
using Millrace.Saql;

namespace Millrace.Api.Queries;

/// <summary>Queries that would read what they write: each row would make the next, without end.</summary>
internal static class QueryLoops
{
    /// <summary>
    /// An output that the query would come to read, by itself or through others; null when there is none. Alerts are
    /// everybody's, and may be raised from alerts.
    /// </summary>
    public static string? Find(QueryPlan plan, IReadOnlyCollection<QueryPlan> others)
    {
        var reads = new HashSet<string>(plan.Inputs, StringComparer.OrdinalIgnoreCase);
        for (var before = 0; before < reads.Count;)
        {
            before = reads.Count;
            foreach (var other in others.Where(other => Own(other).Any(reads.Contains))) reads.UnionWith(other.Inputs);
        }

        return Own(plan).FirstOrDefault(reads.Contains);
    }

    private static IEnumerable<string> Own(QueryPlan plan) => plan.Outputs.Where(output => output != Topics.Alerts);
}
