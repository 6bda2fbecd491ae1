using CsCheck;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

/// <summary>
/// Random streams against the naive evaluator: late, early and out-of-order events, several partitions read in a
/// random order and in random batches, marks, and saving and restoring in between.
/// </summary>
[Category("Samples")]
public class NaiveTests
{
    /// <summary>
    /// When a match is sure depends on its pattern, and of one instant any part of a UNION may come first.
    /// </summary>
    private static readonly string[] Unordered = ["matched", "united", "summed"];

    [Test]
    public void Windows_policies_and_order_are_as_all_events_at_once_say() =>
        Gen.Int[0, int.MaxValue].Sample(
            seed => Check(new NaiveScenario(seed)), iter: Samples.Of(1_000), print: seed => $"seed {seed}");

    [Test]
    public void Sliding_sessions_joins_and_looking_back_are_as_all_events_at_once_say() =>
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var scenario = new NaiveScenario(seed);
            var operators = new NaiveOperators(seed, scenario);
            Check(scenario, operators.Query, operators.Expected(out var dropped), dropped);
        }, iter: Samples.Of(1_000), print: seed => $"seed {seed}");

    [Test]
    public void Several_windows_and_unions_are_as_all_events_at_once_say() =>
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var scenario = new NaiveScenario(seed);
            var unions = new NaiveUnions(seed, scenario);
            Check(scenario, unions.Query, unions.Expected(out var dropped), dropped);
        }, iter: Samples.Of(400), print: seed => $"seed {seed}");

    [Test]
    public void Apply_and_reference_data_are_as_all_events_at_once_say() =>
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var scenario = new NaiveScenario(seed);
            var expansions = new NaiveExpansions(seed, scenario);
            Check(scenario, expansions.Query, expansions.Expected(out var dropped), dropped, expansions.Places,
                [.. expansions.Failed()]);
        }, iter: Samples.Of(400), print: seed => $"seed {seed}");

    [Test]
    public void Two_inputs_as_one_stream_are_as_all_events_at_once_say() =>
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var scenario = new NaiveScenario(seed, hasAlerts: true);
            var together = new NaiveTogether(seed, scenario);
            var plan = QueryRun.Compile(together.Query);
            Compare(together.Query, plan, scenario.Run(plan), together.Expected(out var dropped), dropped,
                output => !scenario.IsOverTogether && !Unordered.Contains(output));
        }, iter: Samples.Of(400), print: seed => $"seed {seed}");

    [Test]
    public void Rows_meet_the_reference_data_that_count_when_they_go_on()
    {
        var changed = 0;
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var scenario = new NaiveScenario(seed);
            var changes = new NaiveChanges(seed, scenario);
            var plan = QueryRun.Compile(changes.Query, ["places"]);
            var run = scenario.Run(plan, changes.First, changes.Perhaps);
            Compare(changes.Query, plan, run, changes.Expected(out var dropped), dropped,
                isOrdered: _ => !scenario.IsOverRoom);
            Interlocked.Add(ref changed, changes.Count);
        }, iter: Samples.Of(400), print: seed => $"seed {seed}");
        Assert.That(changed, Is.GreaterThan(300));
    }

    private static void Check(NaiveScenario scenario) =>
        Check(scenario, scenario.Query, scenario.Expected(out var dropped), dropped);

    private static void Check(
        NaiveScenario scenario, string query, Dictionary<string, List<string>> expected, int dropped,
        IReadOnlyList<byte[]>? places = null, IReadOnlyList<NaiveEvent>? failed = null)
    {
        var plan = QueryRun.Compile(query, ["places"]);
        Compare(query, plan, scenario.Run(plan, places), expected, dropped, output => !Unordered.Contains(output),
            failed);
    }

    private static void Compare(
        string query, QueryPlan plan, QueryRun run, Dictionary<string, List<string>> expected, int dropped,
        Func<string, bool> isOrdered, IReadOnlyList<NaiveEvent>? failed = null)
    {
        foreach (var output in plan.Outputs)
        {
            var rows = run.Rows.Where(row => row.Output == output).Select(row => row.Json).ToList();
            if (!isOrdered(output))
            {
                rows.Sort(StringComparer.Ordinal);
                expected[output].Sort(StringComparer.Ordinal);
            }

            if (!rows.SequenceEqual(expected[output]))
                throw new InvalidOperationException(
                    $"{output} in {query}\nexpected\n{string.Join('\n', expected[output])}\n" +
                    $"found\n{string.Join('\n', rows)}");
        }

        var failures = run.Failures.Select(one => (one.Source, one.Offset, one.Element)).ToHashSet();
        if (!failures.SetEquals(failed?.Select(e => (e.Source, e.Offset, e.Element)) ?? []))
            throw new InvalidOperationException($"failed in {query}\nexpected\n{string.Join('\n', failed ?? [])}\n" +
                $"found\n{string.Join('\n', run.Failures)}");
        if (run.Drops.Count != dropped)
            throw new InvalidOperationException($"dropped {run.Drops.Count}, expected {dropped}");
        var ids = run.Rows.Select(row => row.RowId).ToList();
        if (ids.Distinct().Count() != ids.Count) throw new InvalidOperationException("two rows of one identity");
    }
}
