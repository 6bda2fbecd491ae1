using System.Text.Json;
using Millrace.Integration.Tests.Archive;

namespace Millrace.Integration.Tests.Survival;

/// <summary>What must hold of a platform's data, whatever happened to the process.</summary>
internal static class Evidence
{
    public static void EachAcknowledgedMessageIsThere(
        TrackedFleet fleet, Dictionary<(int Partition, long Offset), (string Device, string Body)> records)
    {
        var found = records.Values.Select(r => (r.Device, Number(r.Body))).CountBy(m => m).ToDictionary();
        Assert.That(fleet.Acknowledged, Is.Not.Empty);
        Assert.That(fleet.Acknowledged.Where(m => !found.ContainsKey(m)), Is.Empty, "acknowledged, and not in the log");
        Assert.That(found.Where(m => m.Value > fleet.Tries(m.Key)), Is.Empty, "more often in the log than it was sent");
    }

    /// <summary>
    /// What was acknowledged at the first try stands as it was sent. What was sent again may stand twice, and behind
    /// what came after it.
    /// </summary>
    public static void EachDevicesOrderIsKept(
        TrackedFleet fleet, Dictionary<(int Partition, long Offset), (string Device, string Body)> records)
    {
        var acknowledged = fleet.Acknowledged.ToHashSet();
        foreach (var device in records.GroupBy(r => r.Value.Device))
        {
            Assert.That(device.Select(r => r.Key.Partition).Distinct().Count(), Is.EqualTo(1), device.Key);
            var numbers = device.OrderBy(r => r.Key.Offset).Select(r => Number(r.Value.Body))
                .Where(n => fleet.Tries((device.Key, n)) == 1 && acknowledged.Contains((device.Key, n))).ToList();
            Assert.That(numbers, Is.Not.Empty, device.Key);
            Assert.That(numbers, Is.Ordered, device.Key);
        }
    }

    public static async Task ArchiveIsTheLogAsync(
        string data, Dictionary<(int Partition, long Offset), (string Device, string Body)> records)
    {
        var (rows, _) = await IndependentDeltaReader.ReadAsync(Path.Combine(data, "archive", "telemetry"));
        var archived = new Dictionary<(int Partition, long Offset), (string Device, string Body)>();
        foreach (var row in rows)
        {
            var added = archived.TryAdd((row.Partition, row.Offset), (row.Device, row.Body));
            Assert.That(added, Is.True, $"{row.Partition}/{row.Offset} stands twice in the archive");
        }

        IsTheLog(records, archived, "the archive");
    }

    public static void IsTheLog(
        Dictionary<(int Partition, long Offset), (string Device, string Body)> records,
        Dictionary<(int Partition, long Offset), (string Device, string Body)> stored, string where)
    {
        var missing = records.Where(r => !stored.TryGetValue(r.Key, out var s) || s != r.Value).Take(3).ToList();
        Assert.That(missing, Is.Empty, $"in the log, and not so in {where}");
        Assert.That(stored, Has.Count.EqualTo(records.Count), $"{where} has rows that the log has not");
    }

    private static int Number(string body) => JsonDocument.Parse(body).RootElement.GetProperty("number").GetInt32();
}
