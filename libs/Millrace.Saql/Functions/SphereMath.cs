namespace Millrace.Saql.Functions;

/// <summary>A direction from the middle of the earth.</summary>
internal readonly record struct Direction(double X, double Y, double Z)
{
    public static Direction Of(GeoPoint point)
    {
        var (latitude, longitude) = (point.Latitude * Math.PI / 180, point.Longitude * Math.PI / 180);
        var ring = Math.Cos(latitude);
        return new Direction(ring * Math.Cos(longitude), ring * Math.Sin(longitude), Math.Sin(latitude));
    }

    public double Dot(Direction other) => (X * other.X) + (Y * other.Y) + (Z * other.Z);

    public Direction Cross(Direction other) => new(
        (Y * other.Z) - (Z * other.Y), (Z * other.X) - (X * other.Z), (X * other.Y) - (Y * other.X));

    public Direction Minus(Direction other) => new(X - other.X, Y - other.Y, Z - other.Z);

    public double Length => Math.Sqrt(Dot(this));

    /// <summary>Halfway to another that is not opposite.</summary>
    public Direction Middle(Direction other) => Between(1, other, 1);

    /// <summary>On the way to another that is not opposite; nearer to the one that weighs more.</summary>
    public Direction Between(double weight, Direction other, double otherWeight)
    {
        var sum = new Direction(
            (X * weight) + (other.X * otherWeight), (Y * weight) + (other.Y * otherWeight),
            (Z * weight) + (other.Z * otherWeight));
        var length = sum.Length;
        return new Direction(sum.X / length, sum.Y / length, sum.Z / length);
    }
}

/// <summary>How shapes lie to one another; their edges are great circles.</summary>
internal static class SphereMath
{
    /// <summary>Below this a point counts as on a line: a tenth of a millimetre.</summary>
    private const double Near = 1.5e-11;

    public static bool Intersects(Geography a, Geography b) => Touch(a, b)
        || (b.Kind == GeographyKind.Polygon && Contains(b, a.Directions[0]))
        || (a.Kind == GeographyKind.Polygon && Contains(a, b.Directions[0]));

    /// <summary>Whether a point, line or polygon lies in a polygon. What touches the outline does, too.</summary>
    public static bool Within(Geography inner, Geography outer)
    {
        if (outer.Kind != GeographyKind.Polygon) return false;
        if (inner.Kind == GeographyKind.Point) return Has(outer, inner.Directions[0]);
        foreach (var middle in MiddlesOfPieces(inner, outer))
        {
            if (!Has(outer, middle)) return false;
        }

        return inner.Kind != GeographyKind.Polygon || !Enters(outer, inner);
    }

    /// <summary>Whether two polygons share more than outline, and neither lies within the other.</summary>
    public static bool Overlaps(Geography a, Geography b)
    {
        if (a.Kind != GeographyKind.Polygon || b.Kind != GeographyKind.Polygon || Within(a, b) || Within(b, a))
            return false;
        return Enters(a, b) || Enters(b, a);
    }

    /// <summary>
    /// Whether a piece of the outline is inside the other. Pieces that run along the other's outline only touch it.
    /// </summary>
    private static bool Enters(Geography outline, Geography polygon)
    {
        foreach (var middle in MiddlesOfPieces(outline, polygon))
        {
            if (Contains(polygon, middle) && !IsOnOutline(polygon, middle)) return true;
        }

        return false;
    }

    /// <summary>
    /// Of the pieces of a line, or of an outline, cut wherever it meets the polygon's: each piece is inside, outside or
    /// on the polygon's outline as a whole, so its middle tells which.
    /// </summary>
    private static IEnumerable<Direction> MiddlesOfPieces(Geography shape, Geography polygon)
    {
        var cuts = new List<Direction>();
        for (var i = 0; i < EdgesOf(shape); i++)
        {
            var (from, to) = Edge(shape, i);
            cuts.Clear();
            cuts.Add(from);
            cuts.Add(to);
            for (var j = 0; j < EdgesOf(polygon); j++)
            {
                var other = Edge(polygon, j);
                if (IsOn(from, to, other.From)) cuts.Add(other.From);
                if (TryCrossing((from, to), other, out var crossing)) cuts.Add(crossing);
            }

            // By their distance, since cosines of what lies near are all the same.
            cuts.Sort((one, two) => one.Minus(from).Length.CompareTo(two.Minus(from).Length));
            for (var cut = 1; cut < cuts.Count; cut++) yield return cuts[cut - 1].Middle(cuts[cut]);
        }
    }

    private static bool Has(Geography polygon, Direction point) =>
        Contains(polygon, point) || IsOnOutline(polygon, point);

    /// <summary>
    /// Whether the inside, which is to the left of the outline, has the point: the outline goes round it once.
    /// </summary>
    private static bool Contains(Geography polygon, Direction point)
    {
        var isReversed = polygon.IsReversed;
        var turned = 0.0;
        var corners = polygon.Directions;
        for (var i = 0; i < corners.Length; i++)
        {
            var (from, to) = (corners[i], corners[(i + 1) % corners.Length]);
            // The angle at the point, in the plane that touches the earth there.
            turned += Math.Atan2(point.Dot(from.Cross(to)), from.Dot(to) - (from.Dot(point) * to.Dot(point)));
        }

        return isReversed ? turned > -Math.PI : turned > Math.PI;
    }

    /// <summary>
    /// Whether the larger part of the earth is to the left of the outline: it runs clockwise, or goes round a pole with
    /// the far one to its left.
    /// </summary>
    public static bool IsReversed(IReadOnlyList<GeoPoint> points)
    {
        var (area, round) = (0.0, 0.0);
        for (var i = 0; i < points.Count; i++)
        {
            var (a, b) = (points[i], points[(i + 1) % points.Count]);
            // The short way round the earth.
            var east = b.Longitude - a.Longitude;
            if (east > 180) east -= 360;
            if (east < -180) east += 360;
            area -= east * (a.Latitude + b.Latitude);
            round += east;
        }

        return Math.Abs(round) > 180 ? area > 0 : area < 0;
    }

    private static bool IsOnOutline(Geography polygon, Direction point)
    {
        var corners = polygon.Directions;
        for (var i = 0; i < corners.Length; i++)
        {
            if (IsOn(corners[i], corners[(i + 1) % corners.Length], point)) return true;
        }

        return false;
    }

    /// <summary>Whether edges go through one another, or one has an end of the other.</summary>
    private static bool Touch(Geography a, Geography b)
    {
        for (var i = 0; i < EdgesOf(a); i++)
        {
            var one = Edge(a, i);
            for (var j = 0; j < EdgesOf(b); j++)
            {
                var other = Edge(b, j);
                if (TryCrossing(one, other, out _)
                    || IsOn(one.From, one.To, other.From) || IsOn(one.From, one.To, other.To)
                    || IsOn(other.From, other.To, one.From) || IsOn(other.From, other.To, one.To))
                    return true;
            }
        }

        return false;
    }

    /// <summary>Where an edge whose ends are on both sides of another goes through it.</summary>
    private static bool TryCrossing(
        (Direction From, Direction To) one, (Direction From, Direction To) other, out Direction crossing)
    {
        var plane = Plane(other.From, other.To);
        var (side, otherSide) =
            (plane.Dot(one.From.Minus(other.From)), plane.Dot(one.To.Minus(other.From)));
        crossing = default;
        if (side * otherSide >= 0) return false;
        crossing = one.From.Between(Math.Abs(otherSide), one.To, Math.Abs(side));
        return IsOn(other.From, other.To, crossing);
    }

    private static bool IsOn(Direction from, Direction to, Direction point)
    {
        var plane = Plane(from, to);
        var length = plane.Length;
        var (past, before) = (point.Minus(from), to.Minus(point));
        if (length < Near) return past.Length < Near;
        return Math.Abs(plane.Dot(past)) < Near * length
            && plane.Cross(from).Dot(past) > -Near * length && plane.Cross(to).Dot(before) > -Near * length;
    }

    /// <summary>
    /// Square to the plane of an edge. It is made of the difference, and points are held against it by theirs, so that
    /// short edges lose no digits.
    /// </summary>
    private static Direction Plane(Direction from, Direction to) => from.Cross(to.Minus(from));

    private static int EdgesOf(Geography shape) => shape.Kind switch
    {
        GeographyKind.Polygon => shape.Directions.Length,
        GeographyKind.Point => 1,
        _ => shape.Directions.Length - 1,
    };

    private static (Direction From, Direction To) Edge(Geography shape, int index) =>
        (shape.Directions[index], shape.Directions[(index + 1) % shape.Directions.Length]);
}
