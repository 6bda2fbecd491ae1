namespace Millrace.Contracts;

/// <summary>The names of the event log's topics.</summary>
public static class Topics
{
    public const string Telemetry = "telemetry";
    public const string Lifecycle = "lifecycle";
    public const string TwinChanges = "twin-changes";
    public const string Alerts = "alerts";
    public const string Control = "control";
    public const string DeadLetter = "dead-letter";

    /// <summary>Messages to devices; see <see cref="DeviceMessageHeaders"/>.</summary>
    public const string DeviceMessages = "device-messages";
    public const string OutputPrefix = "out.";
    public const string RepartitionPrefix = "repartition.";

    /// <summary>The topic of the query output <paramref name="name"/>; the output "alerts" is the alerts
    /// topic.</summary>
    public static string Output(string name) => name == Alerts ? Alerts : OutputPrefix + name;

    /// <summary>Between the two stages of the query; see <see cref="RepartitionRecord"/>.</summary>
    public static string Repartition(string query) => RepartitionPrefix + query;
}
