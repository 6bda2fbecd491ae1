using System.Globalization;

namespace Millrace.TestKit;

/// <summary>
/// How many random cases a test tries: few whenever the tests run, since they run often, and as many times more as
/// MILLRACE_SAMPLES says where one looks long. Who asks carries the category Samples.
/// </summary>
public static class Samples
{
    private static readonly int Times =
        int.Parse(Environment.GetEnvironmentVariable("MILLRACE_SAMPLES") ?? "1", CultureInfo.InvariantCulture);

    public static int Of(int usual) => usual * Times;

    /// <summary>The seeds of tests whose cases are the same each time.</summary>
    public static IEnumerable<int> Seeds(int usual) => Enumerable.Range(1, Of(usual));
}
