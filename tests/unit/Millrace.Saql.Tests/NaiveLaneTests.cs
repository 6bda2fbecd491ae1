using System.Text.RegularExpressions;
using CsCheck;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

/// <summary>
/// TIMESTAMP BY ... OVER k over two inputs or several partitions, against all events at once: late and out-of-order
/// events, sources read in a random order and in random batches, marks, and saving and restoring in between.
/// </summary>
[Category("Samples")]
public partial class NaiveLaneTests
{
    [Test]
    public void Rows_come_when_the_time_of_their_own_substream_has_passed_and_in_its_order() =>
        Sample((scenario, lanes) =>
        {
            var rows = scenario.OrderedTogether(out var dropped);
            var expected = lanes.Expected(rows);
            var plan = QueryRun.Compile(lanes.Query);
            var run = scenario.Run(plan, seen: (run, read) =>
            {
                var progress = scenario.LanesAt(read, rows, lanes.ByPartition);
                Compare(expected.Where(due => due.IsOut(progress)), run, "so far, in " + lanes.Query);
            });
            Compare(expected, run, "of " + lanes.Query);
            if (run.Failures.Count > 0) throw new InvalidOperationException(run.Failures[0].ToString());
            if (run.Drops.Count != dropped) throw new InvalidOperationException("other drops");
            if (run.Rows.DistinctBy(row => row.RowId).Count() != run.Rows.Count)
                throw new InvalidOperationException("two rows of one identity");
        });

    [Test]
    public void No_order_of_rows_depends_on_which_source_is_read_first_nor_on_restoring() =>
        Sample((scenario, lanes) =>
        {
            var plan = QueryRun.Compile(lanes.Query);
            var (one, other) = (scenario.Undisturbed(plan), scenario.Run(plan));
            if (!one.Rows.SequenceEqual(other.Rows))
                throw new InvalidOperationException($"{lanes.Query}\nat once\n{string.Join('\n', one.Rows)}\n" +
                    $"in batches\n{string.Join('\n', other.Rows)}");
        });

    private static void Sample(Action<NaiveScenario, NaiveLanes> check) =>
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var hasAlerts = seed % 3 > 0;
            var scenario = new NaiveScenario(seed, hasAlerts, isOverRoom: true);
            check(scenario, new NaiveLanes(seed, scenario, hasAlerts));
        }, iter: Samples.Of(500), print: seed => $"seed {seed}");

    private static void Compare(IEnumerable<NaiveLanes.Due> expected, QueryRun run, string what)
    {
        // The rows of each substream in each output, in their order.
        var (wanted, found) = (expected.Select(due => (due.Output, due.Json)).ToLookup(NameOf),
            run.Rows.Select(row => (row.Output, row.Json)).ToLookup(NameOf));
        foreach (var name in wanted.Select(group => group.Key).Union(found.Select(group => group.Key)))
        {
            if (!wanted[name].SequenceEqual(found[name]))
                throw new InvalidOperationException($"{what}\nexpected\n{string.Join('\n', wanted[name])}\n" +
                    $"found\n{string.Join('\n', found[name])}");
        }
    }

    private static string NameOf((string Output, string Json) row) => row.Output + Substream().Match(row.Json).Value;

    [GeneratedRegex("""^{"room":\d+(,"PartitionId":\d+)?""")]
    private static partial Regex Substream();
}
