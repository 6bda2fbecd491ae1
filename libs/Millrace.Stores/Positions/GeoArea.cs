namespace Millrace.Stores.Positions;

/// <summary>A part of the Earth's surface.</summary>
public abstract record GeoArea
{
    /// <summary>Metres; the sphere that has the Earth's volume.</summary>
    private const double EarthRadius = 6_371_008.8;

    public abstract bool Contains(double latitude, double longitude);

    /// <summary>Boxes that together hold the area; none crosses the 180th meridian.</summary>
    internal abstract IEnumerable<GeoBox> Boxes();

    /// <summary>Metres along the great circle.</summary>
    public static double Distance(double latitude1, double longitude1, double latitude2, double longitude2)
    {
        var (sinLat, sinLon) = (Math.Sin(Radians(latitude2 - latitude1) / 2),
            Math.Sin(Radians(longitude2 - longitude1) / 2));
        var haversine = (sinLat * sinLat)
            + (Math.Cos(Radians(latitude1)) * Math.Cos(Radians(latitude2)) * sinLon * sinLon);
        return 2 * EarthRadius * Math.Asin(Math.Min(1, Math.Sqrt(haversine)));
    }

    protected static double Radians(double degrees) => degrees * Math.PI / 180;

    protected static double Degrees(double metres) => metres / EarthRadius * 180 / Math.PI;
}

/// <summary>From south to north, and from west eastwards to east; across the 180th meridian when west > east.</summary>
public sealed record GeoBox(double South, double West, double North, double East) : GeoArea
{
    public override bool Contains(double latitude, double longitude) =>
        latitude >= South && latitude <= North
        && (West <= East ? longitude >= West && longitude <= East : longitude >= West || longitude <= East);

    internal override IEnumerable<GeoBox> Boxes() => West <= East
        ? [this]
        : [this with { East = 180 }, this with { West = -180 }];
}

/// <summary>All within a distance of a point, in metres.</summary>
public sealed record GeoCircle(double Latitude, double Longitude, double RadiusMetres) : GeoArea
{
    public override bool Contains(double latitude, double longitude) =>
        Distance(Latitude, Longitude, latitude, longitude) <= RadiusMetres;

    internal override IEnumerable<GeoBox> Boxes()
    {
        // A little more, so that rounding leaves nothing out.
        var reach = Degrees(RadiusMetres) * 1.000001;
        var (south, north) = (Math.Max(-90, Latitude - reach), Math.Min(90, Latitude + reach));
        var widest = Math.Sin(Radians(Math.Min(reach, 90))) / Math.Cos(Radians(Latitude));
        if (Latitude + reach >= 90 || Latitude - reach <= -90 || !(widest < 1))
            return [new GeoBox(south, -180, north, 180)];
        var half = Math.Asin(widest) * 180 / Math.PI * 1.000001;
        if (half >= 180) return [new GeoBox(south, -180, north, 180)];
        return new GeoBox(south, Wrapped(Longitude - half), north, Wrapped(Longitude + half)).Boxes();
    }

    private static double Wrapped(double longitude) => longitude switch
    {
        < -180 => longitude + 360,
        > 180 => longitude - 360,
        _ => longitude,
    };
}
