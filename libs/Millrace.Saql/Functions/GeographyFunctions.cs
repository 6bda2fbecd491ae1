using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>Functions over geographies: GeoJSON records, or well-known text.</summary>
internal static class GeographyFunctions
{
    public const string Point = "CREATEPOINT";

    public static IEnumerable<Function> All { get; } =
    [
        new(Point, [Parameter.Number, Parameter.Number], ValueKind.Record, CreatePoint),
        Of("ST_DISTANCE", ValueKind.Float, static (a, b) =>
            a.Kind == GeographyKind.Point && b.Kind == GeographyKind.Point
                ? Value.Of(Geodesic.Metres(a.Points[0], b.Points[0]))
                : Value.Of(0.0)),
        Of("ST_INTERSECTS", ValueKind.BigInt, static (a, b) => Value.Of(SphereMath.Intersects(a, b) ? 1L : 0L)),
        Of("ST_OVERLAPS", ValueKind.BigInt, static (a, b) => Value.Of(SphereMath.Overlaps(a, b) ? 1L : 0L)),
        Of("ST_WITHIN", ValueKind.BigInt, static (a, b) => Value.Of(SphereMath.Within(a, b) ? 1L : 0L)),
    ];

    /// <summary>CreateLineString and CreatePolygon take any number of points.</summary>
    public static IReadOnlyList<string> OfPoints { get; } = ["CREATELINESTRING", "CREATEPOLYGON"];

    private static Function Of(string name, ValueKind returns, Func<Geography, Geography, Value> body) =>
        new(name, [Parameter.Any, Parameter.Any], returns, (frame, values) =>
        {
            var first = Geography.TryRead(values[0], frame.Arena);
            var second = Geography.TryRead(values[1], frame.Arena);
            return first is null || second is null
                ? frame.Fail(SaqlErrors.BadArgumentValue,
                    $"{name}: {Shown.Of(values[first is null ? 0 : 1])} is no point, line, or polygon of one closed " +
                    "ring.")
                : body(first, second);
        })
        {
            OfGeographies = body,
        };

    private static Value CreatePoint(Frame frame, ReadOnlySpan<Value> values)
    {
        var (latitude, longitude) = (values[0].AsNumber, values[1].AsNumber);
        if (Math.Abs(latitude) > 90 || Math.Abs(longitude) > 360)
        {
            return frame.Fail(SaqlErrors.BadArgumentValue,
                $"CREATEPOINT({Shown.Of(values[0])}, {Shown.Of(values[1])}): the latitude comes first, -90 to 90.");
        }

        return Shape("Point"u8, Coordinates(new GeoPoint(longitude, latitude), frame), frame);
    }

    /// <summary>The longitude comes first.</summary>
    public static Value Coordinates(GeoPoint point, Frame frame)
    {
        var writer = new JsonRowWriter();
        writer.BeginArray();
        writer.Element(Value.Of(point.Longitude));
        writer.Element(Value.Of(point.Latitude));
        writer.EndArray();
        return frame.Arena.Add(writer.Written, ValueKind.Array);
    }

    public static Value Shape(ReadOnlySpan<byte> type, in Value coordinates, Frame frame)
    {
        var writer = new JsonRowWriter();
        writer.Begin();
        writer.NameAsWritten("type"u8);
        writer.Value(frame.Arena.Add(type));
        writer.NameAsWritten("coordinates"u8);
        writer.Value(coordinates);
        writer.End();
        return frame.Arena.Add(writer.Written, ValueKind.Record);
    }
}

/// <summary>CreateLineString(point, ...) and CreatePolygon(point, ...).</summary>
internal sealed class ShapeExpr(bool isPolygon, Expr[] points) : Expr
{
    public bool IsPolygon => isPolygon;

    public Expr[] Points => points;

    public override ValueKind? Type => ValueKind.Record;

    public override IReadOnlyList<Expr> Parts => points;

    public override Value Evaluate(Frame frame)
    {
        var places = new GeoPoint[points.Length];
        var writer = new JsonRowWriter();
        writer.BeginArray();
        for (var i = 0; i < points.Length; i++)
        {
            var value = points[i].Evaluate(frame);
            if (value.IsNull) return Value.Null;
            if (Geography.TryRead(value, frame.Arena) is not { Kind: GeographyKind.Point } point)
                return frame.Fail(SaqlErrors.BadArgumentValue, $"{Shown.Of(value)} is no point.");
            places[i] = point.Points[0];
            writer.Element(GeographyFunctions.Coordinates(places[i], frame));
        }

        writer.EndArray();
        if (isPolygon && (places.Length < 4 || places[0] != places[^1]))
            return frame.Fail(SaqlErrors.BadArgumentValue,
                "A polygon has at least 3 points, and then the first one again.");
        var outline = frame.Arena.Add(writer.Written, ValueKind.Array);
        if (!isPolygon) return GeographyFunctions.Shape("LineString"u8, outline, frame);
        writer.BeginArray();
        writer.Element(outline);
        writer.EndArray();
        return GeographyFunctions.Shape("Polygon"u8, frame.Arena.Add(writer.Written, ValueKind.Array), frame);
    }
}
