using Millrace.Contracts;
using Millrace.Stores.Alerts;
using Millrace.Stores.Positions;
using Millrace.Stores.Telemetry;

namespace Millrace.Integration.Tests.Cassandra;

/// <summary>What the stores must have of a fleet when all that it sent is said to be stored.</summary>
internal static class WarmEvidence
{
    private const int AtOnce = 200, PageRows = 500;

    public static async Task IsStoredOnceAsync(this WarmFleet fleet, WarmWriterRun stores)
    {
        // Else every bucket of the day is read, for each device.
        var times = fleet.Rows.Values.SelectMany(rows => rows).Select(row => row.EventAtMs).ToList();
        var all = new TelemetryRange("", times.Min(), times.Max() + 1, fleet.Rows.Values.Max(rows => rows.Count) + 1);
        foreach (var devices in fleet.Rows.Chunk(AtOnce))
        {
            var names = devices.Select(device => device.Key).ToList();
            var pages = await Patient.AskAsync(() => stores.Telemetry.QueryManyAsync(
                [.. names.Select(device => all with { DeviceId = device })]));
            Assert.That(pages.Select(page => Offsets(page.Items.Select(row => row.Offset))),
                Is.EqualTo(devices.Select(device => Offsets(device.Value.Select(row => row.Offset)))), "rows");

            var latest = devices.Select(device => DevicePosition.LatestOf(device.Value).Single()).ToList();
            var newest = await Patient.AskAsync(() => stores.Telemetry.LatestManyAsync(names));
            Assert.That(newest.Select(row => (row.DeviceId, row.Offset)),
                Is.EqualTo(latest.Select(row => (row.DeviceId, row.Offset))), "latest values");
            var found = await Task.WhenAll(names.Select(
                name => Patient.AskAsync(() => stores.Positions.FindAsync(name))));
            Assert.That(found, Is.EqualTo(latest), "positions by device");
        }

        var expected = fleet.Rows.Values.Select(rows => DevicePosition.LatestOf(rows).Single());
        Assert.That(ByDevice(await WithinAsync(fleet.Box, stores)), Is.EqualTo(ByDevice(expected)), "the area");
        var alerts = (await AlertsAsync(fleet.Alarmed, stores)).Select(row => int.Parse(row.Message)).Order();
        Assert.That(alerts, Is.EqualTo(Enumerable.Range(0, fleet.Alerts)), "alerts");
    }

    private static async Task<List<AlertRow>> AlertsAsync(string device, WarmWriterRun stores)
    {
        var found = new List<AlertRow>();
        string? token = null;
        do
        {
            var filter = new AlertFilter(device, Limit: PageRows, Continuation: token);
            var page = await Patient.AskAsync(() => stores.Alerts.QueryAsync(filter));
            found.AddRange(page.Items);
            token = page.Continuation;
        }
        while (token is not null);
        return found;
    }

    private static async Task<List<DevicePosition>> WithinAsync(GeoArea area, WarmWriterRun stores)
    {
        var found = new List<DevicePosition>();
        string? token = null;
        do
        {
            var from = token;
            var page = await Patient.AskAsync(() => stores.Positions.WithinAsync(area, PageRows, from));
            found.AddRange(page.Items);
            token = page.Continuation;
        }
        while (token is not null);
        return found;
    }

    private static string Offsets(IEnumerable<long> offsets) => string.Join(' ', offsets.Order());

    private static IEnumerable<DevicePosition> ByDevice(IEnumerable<DevicePosition> positions) =>
        positions.OrderBy(position => position.DeviceId, StringComparer.Ordinal);
}
