using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.Outputs;

namespace Millrace.Contract.Tests.Stores;

public abstract class OutputStoreContract : StoreContract<IOutputStore>
{
    [Test]
    public async Task Rows_are_upserted_by_row_id_and_outlive_a_restart()
    {
        await Store.WriteAsync(Partition(1), [Row("r1", 1), Row("r2", 2)], new SinkPosition(2, "epochs"));
        var again = Row("r1", 3) with { Json = """{"n":2}""" };
        await Store.WriteAsync(Partition(1), [again], new SinkPosition(2, "epochs"));
        Reopen();

        var rows = (await Store.QueryAsync("one", null, null, 10, null)).Items;
        Assert.That(rows, Is.EqualTo(new[] { again, Row("r2", 2) }));
        Assert.That(await Store.PositionAsync(Partition(1)), Is.EqualTo(new SinkPosition(2, "epochs")));
    }

    [Test]
    public async Task Rows_of_one_output_are_found_by_time_newest_first_whatever_the_page()
    {
        var random = new Random(3);
        var rows = Enumerable.Range(0, 120).Select(
            i => Row($"r{i:000}", random.Next(30)) with { Output = i % 3 == 0 ? "two" : "one" }).ToList();
        await Store.WriteAsync(Partition(0), rows, new SinkPosition(120));
        foreach (var limit in new[] { 1, 7, 100 })
        {
            var got = await AllAsync(limit,
                token => Store.QueryAsync("one", Noon.AddSeconds(5), Noon.AddSeconds(20), limit, token));
            Assert.That(got, Is.EqualTo(rows
                .Where(r => r.Output == "one" && r.At >= Noon.AddSeconds(5) && r.At < Noon.AddSeconds(20))
                .OrderByDescending(r => r.At).ThenByDescending(r => r.RowId, StringComparer.Ordinal)));
        }

        Assert.That((await Store.QueryAsync("none", null, null, 10, null)).Items, Is.Empty);
    }

    [Test]
    public virtual async Task Old_rows_of_every_output_expire()
    {
        var rows = Enumerable.Range(0, 6_000).Select(i => Row($"r{i}", i) with { Output = $"o{i % 3}" }).ToList();
        await Store.WriteAsync(Partition(0), rows, new SinkPosition(6_000));
        Assert.That(await Store.ExpireAsync(Noon.AddSeconds(5_997)), Is.EqualTo(5_997));
        foreach (var output in new[] { "o0", "o1", "o2" })
            Assert.That((await Store.QueryAsync(output, null, null, 10, null)).Items, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_token_that_is_none_is_told_by_its_code() => Assert.That(
        CodeOf(async () => await Store.QueryAsync("one", null, null, 10, "nonsense")), Is.EqualTo("ST-0002"));

    private static OutputRow Row(string rowId, int atSeconds) => new(
        rowId, "one", "q", 1, Noon.AddSeconds(atSeconds), "{}");
}
