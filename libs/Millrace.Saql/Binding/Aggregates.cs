using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>The aggregate functions, and what each is computed from.</summary>
internal static class Aggregates
{
    private static readonly Dictionary<string, (AccumulatorKind Accumulator, ResultKind Result)> ByName = new()
    {
        ["COUNT"] = (AccumulatorKind.Count, ResultKind.Count),
        ["SUM"] = (AccumulatorKind.Sum, ResultKind.Sum),
        ["AVG"] = (AccumulatorKind.Sum, ResultKind.Average),
        ["MIN"] = (AccumulatorKind.Min, ResultKind.Extreme),
        ["MAX"] = (AccumulatorKind.Max, ResultKind.Extreme),
        ["STDEV"] = (AccumulatorKind.Moments, ResultKind.SampleDeviation),
        ["STDEVP"] = (AccumulatorKind.Moments, ResultKind.PopulationDeviation),
        ["VAR"] = (AccumulatorKind.Moments, ResultKind.SampleVariance),
        ["VARP"] = (AccumulatorKind.Moments, ResultKind.PopulationVariance),
    };

    public static IEnumerable<string> Names => ByName.Keys;

    public static bool Is(string upperName) => ByName.ContainsKey(upperName);

    public static (AccumulatorKind Accumulator, ResultKind Result) Of(string upperName) => ByName[upperName];
}
