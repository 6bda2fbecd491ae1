using Millrace.Saql.Functions;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

/// <summary>Distances on the ellipsoid, of places that lie nearly opposite each other above all.</summary>
[Category("Samples")]
public class GeodesicTests
{
    /// <summary>The series that distances are computed with end there.</summary>
    private const double ToleranceMetres = 0.001;

    /// <summary>What GeographicLib gives, as its documentation and tests have it.</summary>
    [TestCase(35.60777, -139.44815, -11.17491, -69.95921, 8935244.5604818305)]
    [TestCase(55.52454, 106.05087, 77.03196, 197.18234, 4105086.1713924406)]
    [TestCase(0, 0, 0, 179, 19926188.852)]
    [TestCase(0, 0, 0, 180, 20003931.4586)]
    [TestCase(0, 0, 0.5, 179.5, 19936288.579)]
    [TestCase(-90, 0, 90, 180, 20003931.4586)]
    [TestCase(-41.32, 174.81, 40.96, -5.50, 19959679.26735382)]
    [TestCase(88.202499451857, 0, -88.202499451857, 179.981022032992859592, 20003898.214)]
    [TestCase(56.320923501171, 0, -56.320923501171, 179.664747671772880215, 19993558.287)]
    [TestCase(52.784459512564, 0, -52.784459512563990912, 179.634407464943777557, 19991596.095)]
    [TestCase(48.522876735459, 0, -48.52287673545898293, 179.599720456223079643, 19989144.774)]
    public void Distances_are_those_of_geodesics(double lat1, double lon1, double lat2, double lon2, double metres)
    {
        var (from, to) = (new GeoPoint(lon1, lat1), new GeoPoint(lon2, lat2));
        Assert.That(Geodesic.Metres(from, to), Is.EqualTo(metres).Within(ToleranceMetres));
    }

    [Test]
    public void Distances_are_a_metric_all_around_the_opposite_place()
    {
        foreach (var seed in Samples.Seeds(3_000))
        {
            var random = new Random(seed);
            var from = new GeoPoint((random.NextDouble() * 360) - 180, (random.NextDouble() * 178) - 89);
            var spread = new[] { 2, 0.5, 0.01 }[random.Next(3)];
            var to = Near(new GeoPoint(from.Longitude + 180, -from.Latitude), spread, random);
            var next = Near(to, 0.001, random);
            var metres = Geodesic.Metres(from, to);
            Assert.That(Geodesic.Metres(to, from), Is.EqualTo(metres).Within(ToleranceMetres), $"seed {seed}");
            // None is further than half the way round the poles; and the triangle that is nearly a line keeps the
            // distance from leaping, wherever the way of computing it changes.
            Assert.That(metres, Is.LessThan(20003931.4586 + ToleranceMetres), $"seed {seed}");
            Assert.That(Math.Abs(Geodesic.Metres(from, next) - metres),
                Is.LessThan(Geodesic.Metres(to, next) + ToleranceMetres), $"seed {seed}");
        }
    }

    private static GeoPoint Near(GeoPoint place, double degrees, Random random) => new(
        Math.IEEERemainder(place.Longitude + ((random.NextDouble() - 0.5) * degrees), 360),
        Math.Clamp(place.Latitude + ((random.NextDouble() - 0.5) * degrees), -90, 90));
}
