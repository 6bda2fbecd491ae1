namespace Millrace.Saql.Tests;

public class ExampleTests
{
    [TestCaseSource(typeof(Example), nameof(Example.All))]
    public void Query_gives_the_rows_of_the_example(object given)
    {
        var example = (Example)given;
        var run = example.Run();
        var rows = run.Rows.GroupBy(row => row.Output)
            .ToDictionary(output => output.Key, output => output.Select(row => row.Json).ToList());
        foreach (var output in example.Outputs.Keys.Union(rows.Keys))
        {
            Assert.That(rows.GetValueOrDefault(output, []), Is.EqualTo(example.Outputs.GetValueOrDefault(output, [])),
                $"rows of {output}");
        }

        var failures = run.Failures.Select(failure => $"{failure.Code} {failure.Offset}");
        Assert.That(failures, Is.EqualTo(example.Failures), string.Join("\n", run.Failures));
        Assert.That(run.Drops, Has.Count.EqualTo(example.Dropped), "dropped");
    }

    [Test]
    public void Rows_have_identities_of_their_own()
    {
        foreach (var example in Example.All())
        {
            var run = example.Run();
            Assert.That(run.Rows.Select(row => row.RowId), Is.Unique, example.ToString());
        }
    }
}
