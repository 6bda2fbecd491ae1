using System.Text.Json.Serialization;

namespace Millrace.Registry.Identities;

/// <summary>Which of a device's two keys.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeviceKeys>))]
public enum DeviceKeys
{
    [JsonStringEnumMemberName("primary")] Primary,
    [JsonStringEnumMemberName("secondary")] Secondary,
    [JsonStringEnumMemberName("both")] Both,

    /// <summary>Exchange the two, without making new ones.</summary>
    [JsonStringEnumMemberName("swap")] Swap,
}
