using CsCheck;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

/// <summary>
/// An engine that is saved and restored anywhere gives what one gives that is left alone: the same rows with the same
/// identities and times, in the same order.
/// </summary>
[Category("Samples")]
public class NaiveRestoreTests
{
    [Test]
    public void Anomalies_do_not_depend_on_restoring()
    {
        var found = 0;
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var scenario = new NaiveScenario(seed);
            var run = Check(scenario, Anomalies(seed, scenario.By));
            Interlocked.Add(ref found, run.Json.Count(row => row.Contains("\"IsAnomaly\":1")));
        }, iter: Samples.Of(250), print: seed => $"seed {seed}");
        Assert.That(found, Is.GreaterThan(300));
    }

    [Test]
    public void Identities_do_not_depend_on_restoring() =>
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var scenario = new NaiveScenario(seed);
            Check(scenario, scenario.Query);
            Check(scenario, new NaiveOperators(seed, scenario).Query);
            Check(scenario, new NaiveUnions(seed, scenario).Query);
            var expansions = new NaiveExpansions(seed, scenario);
            Check(scenario, expansions.Query, expansions.Places);
        }, iter: Samples.Of(80), print: seed => $"seed {seed}");

    private static string Anomalies(int seed, string by)
    {
        var random = new Random(seed ^ 0x0D1F);
        return $"SELECT {Spikes("spikes")} AS a, {Spikes("dips")} AS b, {Spikes("spikesanddips")} AS c, " +
            $"{Changes()} AS d, {Changes()} AS e, System.Timestamp() AS t INTO found FROM telemetry {by}";

        string Spikes(string mode) => $"AnomalyDetection_SpikeAndDip(x, {random.Next(40, 96)}, {random.Next(2, 9)}, " +
            $"'{mode}') {Over()}";

        string Changes() => $"AnomalyDetection_ChangePoint(x, {random.Next(10, 60)}, {random.Next(2, 9)}) {Over()}";

        string Over()
        {
            var key = new[] { "", "PARTITION BY room ", "PARTITION BY IoTHub.ConnectionDeviceId " }[random.Next(3)];
            var when = random.Next(2) == 0 ? "" : " WHEN x <> 5";
            return $"OVER ({key}LIMIT DURATION(second, {random.Next(5, 30)}){when})";
        }
    }

    private static QueryRun Check(NaiveScenario scenario, string query, IReadOnlyList<byte[]>? places = null)
    {
        var plan = QueryRun.Compile(query, ["places"]);
        var (expected, found) = (scenario.Undisturbed(plan, places), scenario.Run(plan, places));
        if (!found.Rows.SequenceEqual(expected.Rows))
            throw new InvalidOperationException(
                $"{query}\nmissing\n{string.Join('\n', expected.Rows.Except(found.Rows))}\n" +
                $"too many\n{string.Join('\n', found.Rows.Except(expected.Rows))}");
        if (!found.Drops.Order().SequenceEqual(expected.Drops.Order()))
            throw new InvalidOperationException($"other drops in {query}");
        return found;
    }
}
