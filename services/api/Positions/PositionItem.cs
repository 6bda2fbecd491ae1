using System.Text.Json.Serialization;
using Millrace.Stores.Positions;

namespace Millrace.Api.Positions;

/// <summary>A device's position as the API shows it.</summary>
/// <param name="Altitude">Metres, when the device tells it.</param>
/// <param name="Distance">Metres from the middle of the circle that was asked for.</param>
internal sealed record PositionItem(
    string DeviceId, double Latitude, double Longitude,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Altitude, DateTimeOffset EventAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Distance)
{
    public static PositionItem Of(DevicePosition position, GeoArea? area) => new(
        position.DeviceId, position.Latitude, position.Longitude, position.Altitude,
        DateTimeOffset.FromUnixTimeMilliseconds(position.EventAtMs),
        area is GeoCircle circle
            ? Math.Round(GeoArea.Distance(
                circle.Latitude, circle.Longitude, position.Latitude, position.Longitude), 1)
            : null);
}
