using Millrace.Integration.Tests.Survival;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>What must hold of a hub whose processes have all ended.</summary>
internal static class RoleSetEvidence
{
    public static async Task AllIsThereOnceAsync(this RoleSet hub, TrackedFleet fleet)
    {
        await using var log = await hub.OpenLogAsync();
        await using var stopped = new StoppedPlatform(hub.Data, log);
        var records = await stopped.TelemetryAsync();
        Evidence.EachAcknowledgedMessageIsThere(fleet, records);
        var devices = records.Values.Select(r => r.Device).Distinct();
        Evidence.IsTheLog(records, await stopped.WarmAsync(devices), "the warm store");
        await Evidence.ArchiveIsTheLogAsync(hub.Data, records);
        foreach (var (name, output, _) in TrackedQueries.All)
        {
            var expected = await stopped.UndisturbedAsync(name, output);
            Assert.That(expected, Is.Not.Empty, name);
            Assert.That(await stopped.OutputAsync(output, name), Is.EqualTo(expected), name);
        }

        TestContext.Out.WriteLine($"{fleet.Acknowledged.Count} acknowledged, {records.Count} in the log");
    }
}
