using System.Text.Json.Serialization;

namespace Millrace.Contracts;

[JsonConverter(typeof(JsonStringEnumConverter<AlertSeverity>))]
public enum AlertSeverity
{
    [JsonStringEnumMemberName("info")] Info,
    [JsonStringEnumMemberName("warning")] Warning,
    [JsonStringEnumMemberName("critical")] Critical,
}

/// <summary>A row of a query's INTO alerts, as kept in the warm store and given by the API.</summary>
/// <param name="RowId">The row's identity, see <see cref="RowIdentity"/>.</param>
/// <param name="At">The row's System.Timestamp().</param>
/// <param name="DetailsJson">The row's other fields as a JSON object.</param>
public sealed record AlertRow(
    string RowId, string Query, int QueryVersion, string? DeviceId, AlertSeverity Severity, string Message,
    DateTimeOffset At, string DetailsJson);

/// <summary>A row of a query output, as kept in the warm store and given by the API.</summary>
public sealed record OutputRow(
    string RowId, string Output, string Query, int QueryVersion, DateTimeOffset At, string Json);
