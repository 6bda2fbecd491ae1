using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.Queries;

namespace Millrace.Api.Queries;

/// <summary>Queries as they are shown: what is stored, and how they fare.</summary>
internal sealed class QueryReader(IQueryStore store, IEventLog log)
{
    public async Task<QueryItem> ItemAsync(QueryConfig query, CancellationToken ct)
    {
        var status = await store.StatusAsync(query.Name, ct);
        if (status is not null && query.State != QueryState.Running)
        {
            // Nobody writes the status of a query that does not run, but records still come in.
            status = status with
            {
                State = query.State,
                RowsInPerSecond = 0,
                RowsOutPerSecond = 0,
                LagRecords = await LagAsync(query, ct),
            };
        }

        return QueryItem.Of(query, status);
    }

    /// <summary>
    /// Records behind what the query committed last, or behind its start; also of one whose text does not compile.
    /// </summary>
    private async Task<long> LagAsync(QueryConfig query, CancellationToken ct)
    {
        var partitions = log.Topics.Select(log.FindTopic).OfType<TopicInfo>().SelectMany(topic =>
            Enumerable.Range(0, topic.Partitions).Select(p => new TopicPartition(topic.Name, p)));
        var lag = 0L;
        foreach (var partition in partitions)
        {
            if (!query.StartOffsets.TryGetValue(partition.ToString(), out var started)) continue;
            var next = (await log.RangeAsync(partition, ct)).Next;
            var committed = await log.CommittedAsync(ConsumerGroups.OfQuery(query.Name), partition, ct);
            lag += next - Math.Max(committed?.NextOffset ?? 0, started);
        }

        return lag;
    }
}
