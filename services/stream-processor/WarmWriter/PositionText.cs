using System.Globalization;
using System.Text.Json;

namespace Millrace.StreamProcessor.WarmWriter;

internal enum PositionOutcome
{
    /// <summary>The row says nothing of a position.</summary>
    None,

    /// <summary>It is a position.</summary>
    Found,

    /// <summary>It is something else, or lies outside of the Earth.</summary>
    Invalid,
}

/// <summary>Degrees and, where it is told, metres.</summary>
internal readonly record struct PositionPoint(double Latitude, double Longitude, double? Altitude);

/// <summary>
/// A position as a row's field: a GeoJSON point, longitude first as CreatePoint makes it; or text of two or three
/// numbers, <c>lat|lon|alt</c>, with | or ; or a comma between them.
/// </summary>
internal static class PositionText
{
    private static readonly char[] Separators = ['|', ';', ','];

    /// <param name="row">A JSON object with one field.</param>
    public static PositionOutcome TryRead(ReadOnlySpan<byte> row, out PositionPoint point)
    {
        point = default;
        var reader = new Utf8JsonReader(row);
        using var document = JsonDocument.ParseValue(ref reader);
        foreach (var field in document.RootElement.EnumerateObject()) return TryRead(field.Value, out point);
        return PositionOutcome.None;
    }

    private static PositionOutcome TryRead(JsonElement value, out PositionPoint point)
    {
        point = default;
        double?[] numbers;
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
            case JsonValueKind.String when string.IsNullOrWhiteSpace(value.GetString()):
                return PositionOutcome.None;
            case JsonValueKind.String:
                numbers = [.. value.GetString()!.Split(Separators).Select(Number)];
                break;
            case JsonValueKind.Object when IsPoint(value, out var coordinates):
                numbers = [.. coordinates.EnumerateArray().Select(Number)];
                if (numbers.Length > 1) (numbers[0], numbers[1]) = (numbers[1], numbers[0]);
                break;
            default:
                return PositionOutcome.Invalid;
        }

        if (numbers.Length is not (2 or 3) || numbers[0] is not { } latitude || numbers[1] is not { } longitude)
            return PositionOutcome.Invalid;
        if (!(Math.Abs(latitude) <= 90) || !(Math.Abs(longitude) <= 360)) return PositionOutcome.Invalid;
        point = new PositionPoint(latitude, Wrapped(longitude), numbers.ElementAtOrDefault(2));
        return PositionOutcome.Found;
    }

    private static bool IsPoint(JsonElement value, out JsonElement coordinates)
    {
        coordinates = default;
        return value.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            && type.ValueEquals("Point") && value.TryGetProperty("coordinates", out coordinates)
            && coordinates.ValueKind == JsonValueKind.Array;
    }

    private static double? Number(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && double.IsFinite(value.GetDouble()) ? value.GetDouble() : null;

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && double.IsFinite(number) ? number : null;

    private static double Wrapped(double longitude) => longitude switch
    {
        < -180 => longitude + 360,
        > 180 => longitude - 360,
        _ => longitude,
    };
}
