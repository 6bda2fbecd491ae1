using System.Net.Http.Json;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>What must hold of a hub when what befell it is over, and when its processes have all ended.</summary>
internal static class RoleSetEvidence
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>
    /// All that stands in the log now is soon behind each query, as the API tells, and behind each group that has ever
    /// committed to its topic. Nobody is started or told for it.
    /// </summary>
    public static async Task CatchesUpAsync(this RoleSet hub, PlatformProcess api)
    {
        var behind = "";
        await Eventually.TrueAsync(async () =>
        {
            var queries = await api.Api.GetFromJsonAsync<JsonElement>("api/v1/queries");
            var lags = queries.GetProperty("items").EnumerateArray().Select(query => (
                Name: query.GetProperty("name").GetString(),
                Lag: query.GetProperty("status").GetProperty("lagRecords").GetInt64())).ToList();
            Assert.That(lags.Select(query => query.Name), Is.EquivalentTo(TrackedQueries.All.Select(q => q.Name)));
            behind = string.Join(", ", lags.Where(query => query.Lag > 0));
            return behind.Length == 0;
        }, () => $"queries have caught up; behind: {behind}", Patience + hub.IdleAfter);

        await using var log = await hub.OpenLogAsync();
        var ends = new Dictionary<TopicPartition, long>();
        foreach (var topic in log.Topics)
        {
            for (var p = 0; p < log.FindTopic(topic)!.Partitions; p++)
                ends.Add(new(topic, p), (await log.RangeAsync(new(topic, p))).Next);
        }

        var lags = new List<(string Group, TopicPartition Partition, long Lag)>();
        await Eventually.TrueAsync(async () =>
        {
            lags = await LagsAsync(log, ends);
            behind = string.Join(", ", lags.Where(group => group.Lag > 0));
            return behind.Length == 0;
        }, () => $"groups have caught up; behind: {behind}", Patience + hub.IdleAfter);
        var groups = lags.Select(group => group.Group).Distinct().ToList();
        Assert.That(groups, Is.SupersetOf(
            TrackedQueries.All.Select(query => ConsumerGroups.OfQuery(query.Name))
                .Append(ConsumerGroups.WarmWriter).Append(ConsumerGroups.Archiver)));
        TestContext.Out.WriteLine($"caught up: {string.Join(", ", groups)}");
    }

    public static async Task AllIsThereOnceAsync(this RoleSet hub, TrackedFleet fleet)
    {
        await using var log = await hub.OpenLogAsync();
        await using var stopped = new StoppedPlatform(hub.Data, log);
        var records = await stopped.TelemetryAsync();
        Evidence.EachAcknowledgedMessageIsThere(fleet, records);
        Evidence.EachDevicesOrderIsKept(fleet, records);
        var devices = records.Values.Select(r => r.Device).Distinct();
        Evidence.IsTheLog(records, await stopped.WarmAsync(devices), "the warm store");
        await Evidence.ArchiveIsTheLogAsync(hub.Data, records);
        foreach (var (name, output, _) in TrackedQueries.All)
        {
            var expected = await stopped.UndisturbedAsync(name, output);
            Assert.That(expected, Is.Not.Empty, name);
            Assert.That(await stopped.OutputAsync(output, name), Is.EqualTo(expected), name);
        }

        TestContext.Out.WriteLine($"{fleet.Acknowledged.Count} acknowledged, {records.Count} in the log, "
            + $"{stopped.StaleRows} rows of stale owners");
    }

    /// <summary>
    /// How far each group's commits are behind the ends, on topics of which it has committed to a partition.
    /// </summary>
    private static async Task<List<(string Group, TopicPartition Partition, long Lag)>> LagsAsync(
        IEventLog log, Dictionary<TopicPartition, long> ends)
    {
        var lags = new List<(string, TopicPartition, long)>();
        foreach (var group in await log.GroupsAsync())
        {
            foreach (var topic in ends.GroupBy(end => end.Key.Topic))
            {
                var committed = new Dictionary<TopicPartition, CommittedOffset?>();
                foreach (var (partition, _) in topic)
                    committed.Add(partition, await log.CommittedAsync(group, partition));
                if (committed.Values.All(offset => offset is null)) continue;
                lags.AddRange(topic.Select(end =>
                    (group, end.Key, end.Value - (committed[end.Key]?.NextOffset ?? 0))));
            }
        }

        return lags;
    }
}
