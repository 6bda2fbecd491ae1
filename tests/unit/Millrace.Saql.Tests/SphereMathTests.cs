using Millrace.Saql.Functions;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

/// <summary>How shapes lie to one another, against many points along their outlines.</summary>
[Category("Samples")]
public class SphereMathTests
{
    private const int PointsAnEdge = 300;

    private static readonly Geography Horseshoe = Polygon(1, (0, 0), (10, 0), (10, 10), (7, 10), (7, 3), (3, 3),
        (3, 10), (0, 10));

    [TestCase(0.01)]
    [TestCase(0.0001)]
    [TestCase(1)]
    public void A_line_that_leaves_between_its_corners_is_not_within(double scale)
    {
        var horseshoe = Scaled(Horseshoe, scale);
        Assert.Multiple(() =>
        {
            // Across the gap, from corner to corner, from edge to edge, and along an edge and on.
            Assert.That(SphereMath.Within(Line(scale, (1, 8), (9, 8)), horseshoe), Is.False);
            Assert.That(SphereMath.Within(Line(scale, (3, 10), (7, 10)), horseshoe), Is.False);
            Assert.That(SphereMath.Within(Line(scale, (3, 6), (7, 6)), horseshoe), Is.False);
            Assert.That(SphereMath.Within(Line(scale, (3, 3), (3, 10)), horseshoe), Is.True);
            Assert.That(SphereMath.Within(Line(scale, (3, 1), (3, 10)), horseshoe), Is.True);
            Assert.That(SphereMath.Within(Line(scale, (3, 1), (3, 10.001)), horseshoe), Is.False);
            Assert.That(SphereMath.Within(Polygon(scale, (1, 1), (9, 1), (7, 10), (3, 10)), horseshoe), Is.False);
            Assert.That(SphereMath.Within(Polygon(scale, (1, 1), (9, 1), (9, 2), (1, 2)), horseshoe), Is.True);
        });
    }

    [Test]
    public void The_rest_of_the_earth_is_not_within_what_its_outline_is_within()
    {
        var fence = Polygon(1, (0, 0), (9, 0), (9, 9), (0, 9));
        var rest = Polygon(1, (2, 2), (2, 3), (3, 3), (3, 2));
        Assert.That(SphereMath.Within(rest, fence), Is.False);
        Assert.That(SphereMath.Overlaps(rest, fence), Is.True);
    }

    [Test]
    public void A_crossing_near_a_corner_of_short_edges_is_one()
    {
        // Edges of a hundred metres, of which one ends a metre beyond the other.
        var one = Line(1e-5, (0, 0), (100, 0));
        Assert.That(SphereMath.Intersects(one, Line(1e-5, (50, -100), (50, 1))), Is.True);
        Assert.That(SphereMath.Intersects(one, Line(1e-5, (50, -100), (50, -1))), Is.False);
        Assert.That(SphereMath.Intersects(one, Line(1e-5, (101, 0), (200, 0))), Is.False);
    }

    [Test]
    public void Shapes_are_within_when_every_point_of_their_outline_is()
    {
        foreach (var seed in Samples.Seeds(500))
        {
            var random = new Random(seed);
            var scale = new[] { 3, 0.1, 0.001 }[random.Next(3)];
            var outer = Star(random, scale, random.Next(5, 12));
            var inner = random.Next(2) == 0
                ? Star(random, scale, random.Next(3, 6))
                : Line(scale, [.. Enumerable.Range(0, random.Next(2, 4)).Select(_ => OnGrid(random))]);
            var points = Along(inner).ToList();
            var isWithin = points.TrueForAll(point => SphereMath.Within(point, outer));
            Assert.That(SphereMath.Within(inner, outer), Is.EqualTo(isWithin), $"seed {seed}");
            var meets = points.Exists(point => SphereMath.Within(point, outer));
            if (meets) Assert.That(SphereMath.Intersects(inner, outer), Is.True, $"seed {seed}");
        }
    }

    private static (double, double) OnGrid(Random random) => (random.Next(7), random.Next(7));

    /// <summary>A polygon that goes round a place once, and is seldom convex.</summary>
    private static Geography Star(Random random, double scale, int corners)
    {
        while (true)
        {
            var (x, y) = (2.5 + random.NextDouble(), 2.5 + random.NextDouble());
            var places = Enumerable.Range(0, corners).Select(_ => OnGrid(random)).Distinct()
                .Select(place => (place, Angle: Math.Atan2(place.Item2 - y, place.Item1 - x)))
                .OrderBy(one => one.Angle).ToList();
            var widest = places.Select((one, i) => i + 1 < places.Count
                ? places[i + 1].Angle - one.Angle
                : places[0].Angle + (2 * Math.PI) - one.Angle).Max();
            if (places.Count >= 3 && widest < 3) return Polygon(scale, [.. places.Select(one => one.place)]);
        }
    }

    private static IEnumerable<Geography> Along(Geography shape)
    {
        var corners = shape.Directions;
        var edges = shape.Kind == GeographyKind.Polygon ? corners.Length : corners.Length - 1;
        for (var i = 0; i < edges; i++)
        {
            var (from, to) = (corners[i], corners[(i + 1) % corners.Length]);
            for (var step = 0; step <= PointsAnEdge; step++)
            {
                var share = (double)step / PointsAnEdge;
                var (x, y, z) = (from.X + (share * (to.X - from.X)), from.Y + (share * (to.Y - from.Y)),
                    from.Z + (share * (to.Z - from.Z)));
                yield return new Geography(GeographyKind.Point, [new GeoPoint(
                    Math.Atan2(y, x) * 180 / Math.PI, Math.Atan2(z, Math.Sqrt((x * x) + (y * y))) * 180 / Math.PI)]);
            }
        }
    }

    private static Geography Scaled(Geography shape, double scale) => shape with
    {
        Points = [.. shape.Points.Select(point => new GeoPoint(point.Longitude * scale, point.Latitude * scale))],
    };

    private static Geography Line(double scale, params (double, double)[] places) =>
        Scaled(new Geography(GeographyKind.LineString, Of(places)), scale);

    private static Geography Polygon(double scale, params (double, double)[] places) =>
        Scaled(new Geography(GeographyKind.Polygon, Of(places)), scale);

    private static GeoPoint[] Of((double X, double Y)[] places) =>
        [.. places.Select(place => new GeoPoint(place.X, place.Y))];
}
