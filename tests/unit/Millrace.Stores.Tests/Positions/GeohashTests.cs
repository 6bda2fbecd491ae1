using CsCheck;
using Millrace.Stores.Positions;

namespace Millrace.Stores.Tests.Positions;

public class GeohashTests
{
    private static readonly Gen<double> Latitude = Gen.Double[-90, 90];
    private static readonly Gen<double> Longitude = Gen.Double[-180, 180];

    private static readonly Gen<GeoArea> Area = Gen.OneOf(
        from c in Gen.Select(Latitude, Longitude, Latitude, Longitude)
        select (GeoArea)new GeoBox(Math.Min(c.Item1, c.Item3), c.Item2, Math.Max(c.Item1, c.Item3), c.Item4),
        from c in Gen.Select(Latitude, Longitude, Gen.Double[0, 20_000_000])
        select (GeoArea)new GeoCircle(c.Item1, c.Item2, c.Item3),
        from c in Gen.Select(Latitude, Longitude, Gen.Double[0, 5_000])
        select (GeoArea)new GeoCircle(c.Item1, c.Item2, c.Item3));

    [Test]
    public void The_cover_of_an_area_has_every_point_in_it() =>
        Gen.Select(Area, Gen.Select(Latitude, Longitude).Array[50], Gen.Int[1, 100]).Sample((area, points, ranges) =>
        {
            var cover = Geohash.Cover(area.Boxes(), ranges);
            return points.Concat(Corners(area)).Where(p => area.Contains(p.Item1, p.Item2))
                .All(p => cover.Any(range =>
                    Geohash.Of(p.Item1, p.Item2) is var cell && cell >= range.First && cell <= range.Last));
        });

    [Test]
    public void Ranges_rise_do_not_touch_and_are_no_more_than_allowed() =>
        Gen.Select(Area, Gen.Int[1, 100]).Sample((area, most) =>
        {
            var cover = Geohash.Cover(area.Boxes(), most);
            return cover.Count <= most && cover.All(range => range.First <= range.Last)
                && cover.Zip(cover.Skip(1)).All(pair => pair.First.Last + 1 < pair.Second.First);
        });

    [Test]
    public void A_small_area_is_covered_by_little_more()
    {
        var cover = Geohash.Cover(new GeoCircle(52.5, 13.4, 5_000).Boxes(), 64);

        // The circle's box is 27 by 33 cells.
        Assert.That(cover.Sum(range => range.Last - range.First + 1), Is.InRange(27 * 33, 4 * 27 * 33));
    }

    [TestCase(0, 0, 0, 180, 20_015_114.4)]
    [TestCase(52.5, 13.4, 52.52, 13.405, 2_249.5)]
    [TestCase(0, 179.9, 0, -179.9, 22_239)]
    public void Distances_are_great_circles(double lat1, double lon1, double lat2, double lon2, double metres) =>
        Assert.That(GeoArea.Distance(lat1, lon1, lat2, lon2), Is.EqualTo(metres).Within(0.5));

    [Test]
    public void A_circle_over_a_pole_or_the_180th_meridian_has_what_is_near()
    {
        Assert.That(new GeoCircle(89.9, 0, 50_000).Contains(89.9, 180), Is.True);
        var cover = Geohash.Cover(new GeoCircle(89.9, 0, 50_000).Boxes(), 32);
        Assert.That(cover.Any(r => Geohash.Of(89.9, 179.9) >= r.First && Geohash.Of(89.9, 179.9) <= r.Last), Is.True);
        cover = Geohash.Cover(new GeoCircle(0, 179.99, 5_000).Boxes(), 32);
        Assert.That(cover.Any(r => Geohash.Of(0, -179.99) >= r.First && Geohash.Of(0, -179.99) <= r.Last), Is.True);
    }

    private static IEnumerable<(double, double)> Corners(GeoArea area) => area switch
    {
        GeoBox box => [(box.South, box.West), (box.South, box.East), (box.North, box.West), (box.North, box.East)],
        GeoCircle circle => [(circle.Latitude, circle.Longitude)],
        _ => [],
    };
}
