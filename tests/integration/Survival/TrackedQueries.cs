namespace Millrace.Integration.Tests.Survival;

/// <summary>Queries over what the fleet sends: without state, by device, by another key, by nothing.</summary>
internal static class TrackedQueries
{
    public static readonly (string Name, string Output, string Text)[] All =
    [
        ("filter", "alerts",
            "SELECT IoTHub.ConnectionDeviceId AS deviceId, number, value INTO alerts FROM telemetry WHERE value > 95"),
        ("by-device", "by_device",
            "SELECT IoTHub.ConnectionDeviceId AS device, COUNT(*) AS n, SUM(value) AS total INTO by_device " +
            "FROM telemetry GROUP BY IoTHub.ConnectionDeviceId, TumblingWindow(second, 2)"),
        ("by-line", "by_line",
            "SELECT line, COUNT(*) AS n, AVG(value) AS mean INTO by_line FROM telemetry " +
            "GROUP BY line, HoppingWindow(second, 4, 2)"),
        ("fleet", "fleet",
            "SELECT COUNT(*) AS n, MIN(value) AS least, MAX(value) AS most INTO fleet FROM telemetry " +
            "GROUP BY TumblingWindow(second, 1)"),
    ];
}
