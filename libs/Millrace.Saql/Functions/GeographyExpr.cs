using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>
/// A function of two geographies. One that is written out is read when the query is compiled, and a point that the row
/// gives is taken as its numbers; for all else, and for what fails, the call is made as any other.
/// </summary>
internal sealed class GeographyExpr(CallExpr call, Func<Geography, Geography, Value> body) : Expr
{
    private readonly Geography? _first = Constant(call.Arguments[0]);
    private readonly Geography? _second = Constant(call.Arguments[1]);

    public override ValueKind? Type => call.Type;

    public override Value Evaluate(Frame frame)
    {
        if ((_first ?? Read(call.Arguments[0], frame)) is not { } first) return call.Evaluate(frame);
        return (_second ?? Read(call.Arguments[1], frame)) is { } second ? body(first, second) : call.Evaluate(frame);
    }

    private static Geography? Read(Expr argument, Frame frame)
    {
        if (argument is not CallExpr { Name: GeographyFunctions.Point } point) return null;
        return PointOf(point.Arguments[0].Evaluate(frame), point.Arguments[1].Evaluate(frame));
    }

    private static Geography? Constant(Expr argument) => argument switch
    {
        ConstantExpr text => Geography.TryRead(text.Value, new TextArena()),
        CallExpr { Name: GeographyFunctions.Point, Arguments: [ConstantExpr latitude, ConstantExpr longitude] } =>
            PointOf(latitude.Value, longitude.Value),
        ShapeExpr shape => ShapeOf(shape),
        _ => null,
    };

    private static Geography? ShapeOf(ShapeExpr shape)
    {
        var points = new List<GeoPoint>();
        foreach (var one in shape.Points)
        {
            if (Constant(one) is not { Kind: GeographyKind.Point } point) return null;
            points.Add(point.Points[0]);
        }

        if (!shape.IsPolygon) return Geography.Of(GeographyKind.LineString, points);
        return points.Count >= 4 && points[0] == points[^1] ? Geography.Of(GeographyKind.Polygon, points) : null;
    }

    private static Geography? PointOf(in Value latitude, in Value longitude)
    {
        if (!latitude.Kind.IsNumber() || !longitude.Kind.IsNumber()) return null;
        var point = new GeoPoint(longitude.AsNumber, latitude.AsNumber);
        return Geography.IsOnEarth(point) ? new Geography(GeographyKind.Point, [point]) : null;
    }
}
