using System.Text.Json;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>Looks at the numbers that publishers sent, as they stand in the log.</summary>
internal static class Numbers
{
    public static readonly string[] Topics = [.. Enumerable.Range(0, 6).Select(machine => $"plant/m{machine}/data")];

    /// <summary>The numbers of each device in the order of the log.</summary>
    public static Dictionary<string, List<int>> Of(IEnumerable<Gateway.Telemetry> records) => records
        .GroupBy(record => record.DeviceId)
        .ToDictionary(device => device.Key, device => device.Select(record => Number(record.Body)).ToList());

    /// <summary>Each device has all numbers, once and in order.</summary>
    public static void AssertOnce(IEnumerable<Gateway.Telemetry> records, int count)
    {
        var numbers = Of(records);
        Assert.That(numbers.Keys, Is.EquivalentTo(Topics.Select(topic => topic.Split('/')[1])));
        foreach (var (device, found) in numbers)
            Assert.That(found, Is.EqualTo(Enumerable.Range(0, count)), device);
    }

    /// <summary>
    /// Each device has all numbers. One may stand there again, in a row that was sent again; a number that is there for
    /// the first time is greater than all before.
    /// </summary>
    public static void AssertInOrder(IEnumerable<Gateway.Telemetry> records, int count)
    {
        var numbers = Of(records);
        Assert.That(numbers.Keys, Is.EquivalentTo(Topics.Select(topic => topic.Split('/')[1])));
        foreach (var (device, found) in numbers)
            Assert.That(found.Distinct(), Is.EqualTo(Enumerable.Range(0, count)), device);
    }

    public static int Number(string body) => JsonDocument.Parse(body).RootElement.GetProperty("n").GetInt32();
}
