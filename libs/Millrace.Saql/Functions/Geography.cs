using System.Globalization;
using System.Text;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

internal enum GeographyKind : byte
{
    Point,
    LineString,
    Polygon,
}

/// <summary>A place on the earth, in degrees.</summary>
internal readonly record struct GeoPoint(double Longitude, double Latitude);

/// <summary>
/// A point, a line or the outline of a polygon without holes, whose first point is not repeated at the end.
/// </summary>
internal sealed record Geography(GeographyKind Kind, IReadOnlyList<GeoPoint> Points)
{
    private Direction[]? _directions;
    private bool? _isReversed;

    /// <summary>Of its points; found once, for shapes that many rows are compared with.</summary>
    public Direction[] Directions => _directions ??= [.. Points.Select(Direction.Of)];

    /// <summary>A point that is moved from row to row, so that none is made for each.</summary>
    public static Geography MovingPoint() => new(GeographyKind.Point, new GeoPoint[1]);

    /// <summary>Of a point made by <see cref="MovingPoint"/> alone.</summary>
    public Geography MovedTo(GeoPoint point)
    {
        ((GeoPoint[])Points)[0] = point;
        _directions ??= new Direction[1];
        _directions[0] = Direction.Of(point);
        return this;
    }

    /// <summary>Of a polygon: most of the earth is inside.</summary>
    public bool IsReversed => _isReversed ??= SphereMath.IsReversed(Points);

    /// <summary>A GeoJSON record, or well-known text; both have the longitude first.</summary>
    public static Geography? TryRead(in Value value, TextArena arena) => value.Kind switch
    {
        ValueKind.Record => TryRecord(value, arena),
        ValueKind.Text => TryText(Encoding.UTF8.GetString(value.Utf8)),
        _ => null,
    };

    private static Geography? TryRecord(in Value record, TextArena arena)
    {
        var type = JsonLookup.Member(record, "type"u8, arena);
        var coordinates = JsonLookup.Member(record, "coordinates"u8, arena);
        if (type.Kind != ValueKind.Text || coordinates.Kind != ValueKind.Array) return null;
        if (!TryKind(Encoding.UTF8.GetString(type.Utf8), out var kind)) return null;
        if (kind == GeographyKind.Point) return TryPoint(coordinates, arena, out var only) ? Of(kind, [only]) : null;
        if (kind == GeographyKind.Polygon)
        {
            // The outline stands in an array of rings; it is also taken without it.
            var first = JsonLookup.Element(coordinates, 0, arena);
            if (first.Kind == ValueKind.Array && JsonLookup.Element(first, 0, arena).Kind == ValueKind.Array)
            {
                if (!JsonLookup.Element(coordinates, 1, arena).IsNull) return null;
                coordinates = first;
            }
        }

        var points = new List<GeoPoint>();
        foreach (var element in JsonLookup.Elements(coordinates))
        {
            if (!TryPoint(element.Read(arena), arena, out var point)) return null;
            points.Add(point);
        }

        return Of(kind, points);
    }

    private static bool TryPoint(in Value array, TextArena arena, out GeoPoint point)
    {
        point = default;
        if (array.Kind != ValueKind.Array) return false;
        var longitude = JsonLookup.Element(array, 0, arena);
        var latitude = JsonLookup.Element(array, 1, arena);
        if (!longitude.Kind.IsNumber() || !latitude.Kind.IsNumber()) return false;
        point = new GeoPoint(longitude.AsNumber, latitude.AsNumber);
        return IsOnEarth(point);
    }

    private static Geography? TryText(string text)
    {
        var open = text.IndexOf('(');
        if (open < 0 || !TryKind(text[..open].Trim(), out var kind)) return null;
        var inner = WithoutBrackets(text[open..]);
        if (kind == GeographyKind.Polygon && inner is not null) inner = WithoutBrackets(inner);
        if (inner is null) return null;
        var points = new List<GeoPoint>();
        foreach (var written in inner.Split(','))
        {
            var numbers = written.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (numbers.Length < 2 || !TryNumber(numbers[0], out var longitude)
                || !TryNumber(numbers[1], out var latitude))
                return null;
            points.Add(new GeoPoint(longitude, latitude));
        }

        return points.All(IsOnEarth) ? Of(kind, points) : null;
    }

    /// <summary>What is not a list of numbers at the end, such as a second ring, still has some.</summary>
    private static string? WithoutBrackets(string text) =>
        text.Trim() is ['(', .. var inner, ')'] ? inner : null;

    private static bool TryKind(string text, out GeographyKind kind) =>
        Enum.TryParse(text, true, out kind) && Enum.IsDefined(kind) && char.IsLetter(text[0]) && !text.Contains(',');

    private static bool TryNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);

    public static bool IsOnEarth(GeoPoint point) =>
        Math.Abs(point.Latitude) <= 90 && Math.Abs(point.Longitude) <= 360;

    /// <summary>
    /// How far a ring's end may lie from where it begins, in degrees: a tenth of a millimetre. Tools that compute or
    /// print a ring's first and last point apart differ in their last digits.
    /// </summary>
    private const double ClosingTolerance = 1e-9;

    private static bool IsClosed(List<GeoPoint> ring) =>
        Math.Abs(ring[0].Longitude - ring[^1].Longitude) <= ClosingTolerance
        && Math.Abs(ring[0].Latitude - ring[^1].Latitude) <= ClosingTolerance;

    /// <summary>Null when they are too few, or a polygon does not end where it begins.</summary>
    public static Geography? Of(GeographyKind kind, List<GeoPoint> points)
    {
        if (kind == GeographyKind.Polygon)
        {
            if (points.Count < 2 || !IsClosed(points)) return null;
            points.RemoveAt(points.Count - 1);
        }

        var least = kind switch { GeographyKind.Point => 1, GeographyKind.LineString => 2, _ => 3 };
        return points.Count >= least ? new Geography(kind, points) : null;
    }
}
