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

    public double Length => Math.Sqrt(Dot(this));

    /// <summary>Halfway to another that is not opposite.</summary>
    public Direction Middle(Direction other)
    {
        var sum = new Direction(X + other.X, Y + other.Y, Z + other.Z);
        var length = sum.Length;
        return new Direction(sum.X / length, sum.Y / length, sum.Z / length);
    }
}

/// <summary>How shapes lie to one another; their edges are great circles.</summary>
internal static class SphereMath
{
    /// <summary>Below this a point counts as on a line: a tenth of a millimetre.</summary>
    private const double Near = 1.5e-11;

    private const double EquatorMetres = 6378137.0;
    private const double Flattening = 1 / 298.257223563;

    /// <summary>
    /// The geodesic on the ellipsoid WGS 84 in metres, by Vincenty's formula. For places that lie nearly opposite each
    /// other, where it does not converge, the great circle.
    /// </summary>
    public static double Distance(GeoPoint from, GeoPoint to)
    {
        if (from == to) return 0;
        var polarMetres = EquatorMetres * (1 - Flattening);
        var (sinU1, cosU1) = Reduced(from.Latitude);
        var (sinU2, cosU2) = Reduced(to.Latitude);
        var span = (to.Longitude - from.Longitude) * Math.PI / 180;
        var lambda = span;
        for (var round = 0; round < 200; round++)
        {
            var (sinLambda, cosLambda) = Math.SinCos(lambda);
            var across = cosU2 * sinLambda;
            var along = (cosU1 * sinU2) - (sinU1 * cosU2 * cosLambda);
            var sinSigma = Math.Sqrt((across * across) + (along * along));
            if (sinSigma == 0) return 0;
            var cosSigma = (sinU1 * sinU2) + (cosU1 * cosU2 * cosLambda);
            var sigma = Math.Atan2(sinSigma, cosSigma);
            var sinAlpha = cosU1 * cosU2 * sinLambda / sinSigma;
            var cosSqAlpha = 1 - (sinAlpha * sinAlpha);
            var cos2SigmaM = cosSqAlpha == 0 ? 0 : cosSigma - (2 * sinU1 * sinU2 / cosSqAlpha);
            var c = Flattening / 16 * cosSqAlpha * (4 + (Flattening * (4 - (3 * cosSqAlpha))));
            var before = lambda;
            lambda = span + ((1 - c) * Flattening * sinAlpha * (sigma + (c * sinSigma *
                (cos2SigmaM + (c * cosSigma * (-1 + (2 * cos2SigmaM * cos2SigmaM)))))));
            if (Math.Abs(lambda - before) > 1e-13) continue;
            var uSq = cosSqAlpha * ((EquatorMetres * EquatorMetres) - (polarMetres * polarMetres))
                / (polarMetres * polarMetres);
            return polarMetres * Arc(uSq, sigma, sinSigma, cosSigma, cos2SigmaM);
        }

        var (a, b) = (Direction.Of(from), Direction.Of(to));
        return (2 * EquatorMetres + polarMetres) / 3 * Math.Atan2(a.Cross(b).Length, a.Dot(b));
    }

    private static (double Sin, double Cos) Reduced(double latitude) =>
        Math.SinCos(Math.Atan((1 - Flattening) * Math.Tan(latitude * Math.PI / 180)));

    private static double Arc(double uSq, double sigma, double sinSigma, double cosSigma, double cos2SigmaM)
    {
        var a = 1 + (uSq / 16384 * (4096 + (uSq * (-768 + (uSq * (320 - (175 * uSq)))))));
        var b = uSq / 1024 * (256 + (uSq * (-128 + (uSq * (74 - (47 * uSq))))));
        var cosSq = cos2SigmaM * cos2SigmaM;
        var delta = b * sinSigma * (cos2SigmaM + (b / 4 * ((cosSigma * (-1 + (2 * cosSq))) -
            (b / 6 * cos2SigmaM * (-3 + (4 * sinSigma * sinSigma)) * (-3 + (4 * cosSq))))));
        return a * (sigma - delta);
    }

    public static bool Intersects(Geography a, Geography b) => Touch(a, b)
        || (b.Kind == GeographyKind.Polygon && Contains(b, a.Directions[0]))
        || (a.Kind == GeographyKind.Polygon && Contains(a, b.Directions[0]));

    /// <summary>Whether a point, line or polygon lies in a polygon. What touches the outline does, too.</summary>
    public static bool Within(Geography inner, Geography outer)
    {
        if (outer.Kind != GeographyKind.Polygon) return false;
        foreach (var direction in inner.Directions)
        {
            if (!Contains(outer, direction) && !IsOnOutline(outer, direction)) return false;
        }

        return inner.Kind == GeographyKind.Point || !Cross(inner, outer);
    }

    /// <summary>Whether two polygons share more than outline, and neither lies within the other.</summary>
    public static bool Overlaps(Geography a, Geography b)
    {
        if (a.Kind != GeographyKind.Polygon || b.Kind != GeographyKind.Polygon || Within(a, b) || Within(b, a))
            return false;
        return Cross(a, b) || Enters(a, b) || Enters(b, a);
    }

    /// <summary>
    /// Whether a piece of the outline, cut where corners of the other lie on it, is inside the other. Pieces that run
    /// along the other's outline only touch it.
    /// </summary>
    private static bool Enters(Geography outline, Geography polygon)
    {
        var cuts = new List<Direction>();
        for (var i = 0; i < EdgesOf(outline); i++)
        {
            var (from, to) = Edge(outline, i);
            cuts.Clear();
            cuts.AddRange(polygon.Directions.Where(corner => IsOn(from, to, corner)));
            cuts.Add(from);
            cuts.Add(to);
            cuts.Sort((one, other) => other.Dot(from).CompareTo(one.Dot(from)));
            for (var cut = 1; cut < cuts.Count; cut++)
            {
                var middle = cuts[cut - 1].Middle(cuts[cut]);
                if (Contains(polygon, middle) && !IsOnOutline(polygon, middle)) return true;
            }
        }

        return false;
    }

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

    /// <summary>Whether edges go through one another; touching is not enough.</summary>
    private static bool Cross(Geography a, Geography b) => Meet(a, b, touching: false);

    private static bool Touch(Geography a, Geography b) => Meet(a, b, touching: true);

    private static bool Meet(Geography a, Geography b, bool touching)
    {
        for (var i = 0; i < EdgesOf(a); i++)
        {
            var one = Edge(a, i);
            for (var j = 0; j < EdgesOf(b); j++)
            {
                if (Meet(one, Edge(b, j), touching)) return true;
            }
        }

        return false;
    }

    private static bool Meet((Direction From, Direction To) one, (Direction From, Direction To) other, bool touching)
    {
        var (c, d, e, f) = Sides(one, other);
        if (c * d < 0 && e * f < 0) return IsSameHalf(one, other);
        return touching && (IsOn(one.From, one.To, other.From) || IsOn(one.From, one.To, other.To)
            || IsOn(other.From, other.To, one.From) || IsOn(other.From, other.To, one.To));
    }

    private static (int, int, int, int) Sides(
        (Direction From, Direction To) one, (Direction From, Direction To) other)
    {
        var (plane, otherPlane) = (one.From.Cross(one.To), other.From.Cross(other.To));
        return (Sign(plane.Dot(other.From)), Sign(plane.Dot(other.To)), Sign(otherPlane.Dot(one.From)),
            Sign(otherPlane.Dot(one.To)));
    }

    private static bool IsSameHalf((Direction From, Direction To) one, (Direction From, Direction To) other)
    {
        var meeting = one.From.Cross(one.To).Cross(other.From.Cross(other.To));
        return meeting.Dot(one.From) * meeting.Dot(other.From) > 0
            || meeting.Dot(one.To) * meeting.Dot(other.To) > 0;
    }

    private static bool IsOn(Direction from, Direction to, Direction point)
    {
        var plane = from.Cross(to);
        var length = plane.Length;
        if (length < Near) return from.Cross(point).Length < Near && from.Dot(point) > 0;
        return Math.Abs(plane.Dot(point)) / length < Near
            && from.Dot(point) >= from.Dot(to) - Near && to.Dot(point) >= from.Dot(to) - Near;
    }

    private static int Sign(double number) => Math.Abs(number) < Near ? 0 : Math.Sign(number);

    private static int EdgesOf(Geography shape) => shape.Kind switch
    {
        GeographyKind.Polygon => shape.Directions.Length,
        GeographyKind.Point => 1,
        _ => shape.Directions.Length - 1,
    };

    private static (Direction From, Direction To) Edge(Geography shape, int index) =>
        (shape.Directions[index], shape.Directions[(index + 1) % shape.Directions.Length]);
}
