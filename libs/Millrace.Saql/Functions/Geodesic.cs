namespace Millrace.Saql.Functions;

/// <summary>Distances on the ellipsoid WGS 84.</summary>
internal static class Geodesic
{
    private const double EquatorMetres = 6378137.0;
    private const double Flattening = 1 / 298.257223563;
    private const double PolarMetres = EquatorMetres * (1 - Flattening);
    private const double SecondEccentricitySq =
        ((EquatorMetres * EquatorMetres) - (PolarMetres * PolarMetres)) / (PolarMetres * PolarMetres);

    /// <summary>What places that are not nearly opposite each other take is far fewer.</summary>
    private const int RoundsMax = 50;

    /// <summary>
    /// The shortest way in metres, by Vincenty's formulae. Their iteration does not converge for places that lie nearly
    /// opposite each other; for those the azimuth is searched for with which the way arrives.
    /// </summary>
    public static double Metres(GeoPoint from, GeoPoint to)
    {
        if (from == to) return 0;
        var (sinU1, cosU1) = Reduced(from.Latitude);
        var (sinU2, cosU2) = Reduced(to.Latitude);
        var span = Math.Abs(Math.IEEERemainder(to.Longitude - from.Longitude, 360)) * Math.PI / 180;
        var lambda = span;
        for (var round = 0; round < RoundsMax && lambda <= Math.PI; round++)
        {
            var (sinLambda, cosLambda) = Math.SinCos(lambda);
            var across = cosU2 * sinLambda;
            var along = (cosU1 * sinU2) - (sinU1 * cosU2 * cosLambda);
            var sinSigma = Math.Sqrt((across * across) + (along * along));
            var cosSigma = (sinU1 * sinU2) + (cosU1 * cosU2 * cosLambda);
            if (sinSigma == 0)
            {
                if (cosSigma > 0) return 0;
                break;
            }

            var sinAlpha = cosU1 * cosU2 * sinLambda / sinSigma;
            var cosSqAlpha = 1 - (sinAlpha * sinAlpha);
            var arc = new Arc(sinAlpha, Math.Atan2(sinSigma, cosSigma), sinSigma, cosSigma,
                cosSqAlpha == 0 ? 0 : cosSigma - (2 * sinU1 * sinU2 / cosSqAlpha));
            var before = lambda;
            lambda = span + arc.LongitudeLost;
            if (Math.Abs(lambda - before) <= 1e-13) return arc.Metres;
        }

        // The ellipsoid is the same seen from either place, and from the other pole.
        return Math.Abs(sinU1) >= Math.Abs(sinU2)
            ? NearlyOpposite(-Math.Abs(sinU1), cosU1, sinU1 > 0 ? -sinU2 : sinU2, cosU2, span)
            : NearlyOpposite(-Math.Abs(sinU2), cosU2, sinU2 > 0 ? -sinU1 : sinU1, cosU1, span);
    }

    /// <summary>
    /// From a place that is in the south, and no nearer to the equator than the other: there one azimuth alone leads
    /// to the other's longitude, 0 to that of the same meridian and 180 degrees to that of the opposite one
    /// (Karney, Algorithms for geodesics, section 4).
    /// </summary>
    private static double NearlyOpposite(double sinU1, double cosU1, double sinU2, double cosU2, double span)
    {
        var (low, high) = (0.0, Math.PI);
        while (true)
        {
            var azimuth = (low + high) / 2;
            var (arc, longitude) = Towards(azimuth, sinU1, cosU1, sinU2, cosU2);
            if (azimuth == low || azimuth == high) return arc.Metres;
            if (longitude < span) low = azimuth;
            else high = azimuth;
        }
    }

    /// <summary>The way that leaves with an azimuth, as far as the other latitude, where it heads north.</summary>
    private static (Arc Arc, double Longitude) Towards(
        double azimuth, double sinU1, double cosU1, double sinU2, double cosU2)
    {
        var (sinAzimuth, cosAzimuth) = Math.SinCos(azimuth);
        var sinAlpha = sinAzimuth * cosU1;
        var north1 = cosAzimuth * cosU1;
        var north2 = Math.Sqrt((north1 * north1) + ((sinU1 - sinU2) * (sinU1 + sinU2)));
        var (sigma1, sigma2) = (Math.Atan2(sinU1, north1), Math.Atan2(sinU2, north2));
        var lambda = Math.Atan2(sinAlpha * sinU2, north2) - Math.Atan2(sinAlpha * sinU1, north1);
        var (sinSigma, cosSigma) = Math.SinCos(sigma2 - sigma1);
        var arc = new Arc(sinAlpha, sigma2 - sigma1, sinSigma, cosSigma, Math.Cos(sigma1 + sigma2));
        return (arc, lambda - arc.LongitudeLost);
    }

    private static (double Sin, double Cos) Reduced(double latitude) =>
        Math.SinCos(Math.Atan((1 - Flattening) * Math.Tan(latitude * Math.PI / 180)));

    /// <summary>
    /// A geodesic's image on a sphere: its angle sigma, the sine of its azimuth alpha at the equator, and the cosine of
    /// twice the angle from the equator to its middle.
    /// </summary>
    private readonly record struct Arc(
        double SinAlpha, double Sigma, double SinSigma, double CosSigma, double Cos2SigmaM)
    {
        private double CosSqAlpha => 1 - (SinAlpha * SinAlpha);

        /// <summary>By how much the longitude on the sphere is more than that on the ellipsoid.</summary>
        public double LongitudeLost
        {
            get
            {
                var c = Flattening / 16 * CosSqAlpha * (4 + (Flattening * (4 - (3 * CosSqAlpha))));
                return (1 - c) * Flattening * SinAlpha * (Sigma + (c * SinSigma *
                    (Cos2SigmaM + (c * CosSigma * (-1 + (2 * Cos2SigmaM * Cos2SigmaM))))));
            }
        }

        public double Metres
        {
            get
            {
                var uSq = CosSqAlpha * SecondEccentricitySq;
                var a = 1 + (uSq / 16384 * (4096 + (uSq * (-768 + (uSq * (320 - (175 * uSq)))))));
                var b = uSq / 1024 * (256 + (uSq * (-128 + (uSq * (74 - (47 * uSq))))));
                var cosSq = Cos2SigmaM * Cos2SigmaM;
                var delta = b * SinSigma * (Cos2SigmaM + (b / 4 * ((CosSigma * (-1 + (2 * cosSq))) -
                    (b / 6 * Cos2SigmaM * (-3 + (4 * SinSigma * SinSigma)) * (-3 + (4 * cosSq))))));
                return PolarMetres * a * (Sigma - delta);
            }
        }
    }
}
