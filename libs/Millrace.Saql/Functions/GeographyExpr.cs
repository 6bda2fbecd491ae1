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

    public override IReadOnlyList<Expr> Parts => [call];

    public override Value Evaluate(Frame frame)
    {
        GeoPoint one = default, other = default;
        if ((_first is null && !TryPlace(0, frame, out one)) || (_second is null && !TryPlace(1, frame, out other)))
            return call.Evaluate(frame);
        // Both places are known before a point is moved: a call within the arguments moves the same ones.
        return body(
            _first ?? frame.MovingPoints[0].MovedTo(one), _second ?? frame.MovingPoints[1].MovedTo(other));
    }

    private bool TryPlace(int argument, Frame frame, out GeoPoint place)
    {
        place = default;
        return call.Arguments[argument] is CallExpr { Name: GeographyFunctions.Point } point
            && TryPoint(point.Arguments[0].Evaluate(frame), point.Arguments[1].Evaluate(frame), out place);
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

        return Geography.Of(shape.IsPolygon ? GeographyKind.Polygon : GeographyKind.LineString, points);
    }

    private static Geography? PointOf(in Value latitude, in Value longitude) =>
        TryPoint(latitude, longitude, out var point) ? new Geography(GeographyKind.Point, [point]) : null;

    private static bool TryPoint(in Value latitude, in Value longitude, out GeoPoint point)
    {
        point = default;
        if (!latitude.Kind.IsNumber() || !longitude.Kind.IsNumber()) return false;
        point = new GeoPoint(longitude.AsNumber, latitude.AsNumber);
        return Geography.IsOnEarth(point);
    }
}
