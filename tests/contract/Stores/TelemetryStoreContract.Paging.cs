using CsCheck;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

public abstract partial class TelemetryStoreContract
{
    [Test]
    public async Task A_range_is_the_list_of_its_rows_in_order_whatever_the_page()
    {
        var random = new Random(4711);
        var rows = Enumerable.Range(0, 300).Select(i => Message(i % 4 == 0 ? "b" : "a", i, random.Next(60))).ToList();
        await Store.WriteAsync(Partition(2), rows, new SinkPosition(300));
        var bound = Gen.Int[-5, 65].Nullable();
        await Gen.Select(bound, bound, Gen.Int[1, 40], Gen.Bool).SampleAsync(async (from, to, limit, oldestFirst) =>
        {
            var got = await AllAsync(limit, token => Store.QueryAsync(
                new TelemetryRange("a", from, to, limit, token, oldestFirst)));
            var expected = rows.Where(r => r.DeviceId == "a")
                .Where(r => (from is null || r.EventAtMs >= from) && (to is null || r.EventAtMs < to))
                .OrderBy(r => r.EventAtMs).ThenBy(r => r.Offset).Select(r => r.Offset).ToList();
            if (!oldestFirst) expected.Reverse();
            return got.Select(m => m.Offset).SequenceEqual(expected);
        }, iter: Samples.Of(30), threads: 1);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Rows_that_arrive_meanwhile_neither_double_nor_hide_others(bool oldestFirst)
    {
        var random = new Random(7);
        var before = Enumerable.Range(0, 100).Select(i => Message("a", i, random.Next(1000))).ToList();
        await Store.WriteAsync(Partition(2), before, new SinkPosition(100));
        var next = 100L;
        var got = await AllAsync(7, async token =>
        {
            var page = await Store.QueryAsync(new TelemetryRange("a", null, null, 7, token, oldestFirst));
            var more = Enumerable.Range(0, 5).Select(_ => Message("a", next++, random.Next(1000))).ToList();
            if (next < 400) await Store.WriteAsync(Partition(2), more, new SinkPosition(next));
            return page;
        });

        Assert.That(got.Select(m => m.Offset), Is.Unique);
        Assert.That(before.Select(m => m.Offset), Is.SubsetOf(got.Select(m => m.Offset)));
        var times = got.Select(m => m.EventAtMs);
        Assert.That(times, oldestFirst ? Is.Ordered.Ascending : Is.Ordered.Descending);
    }

    [Test]
    public async Task A_token_goes_on_after_a_restart_and_when_its_row_has_expired()
    {
        var rows = Enumerable.Range(0, 10).Select(i => Message("a", i, i) with { EnqueuedAtMs = i }).ToList();
        await Store.WriteAsync(Partition(2), rows, new SinkPosition(10));
        var page = await Store.QueryAsync(new TelemetryRange("a", Limit: 3, OldestFirst: true));
        await Store.ExpireAsync(5);
        Reopen();

        var rest = await Store.QueryAsync(new TelemetryRange("a", Continuation: page.Continuation, OldestFirst: true));
        Assert.That(rest.Items.Select(m => m.Offset), Is.EqualTo(new[] { 5L, 6, 7, 8, 9 }));
    }

    [TestCase("nonsense")]
    [TestCase("")]
    [TestCase("*")]
    [TestCase("YQ")]
    public void A_token_that_is_none_is_told_by_its_code(string token) => Assert.That(
        CodeOf(async () => await Store.QueryAsync(new TelemetryRange("a", Continuation: token))),
        Is.EqualTo("ST-0002"));

    [Test]
    public async Task A_token_that_was_changed_never_breaks_the_store()
    {
        await Store.WriteAsync(Partition(2), [Message("a", 1, 1), Message("a", 2, 2)], new SinkPosition(3));
        var token = (await Store.QueryAsync(new TelemetryRange("a", Limit: 1))).Continuation!;
        await Gen.Select(Gen.Int[0, token.Length - 1], Gen.Char.AlphaNumeric).SampleAsync(async (at, character) =>
        {
            var changed = token[..at] + character + token[(at + 1)..];
            try
            {
                return (await Store.QueryAsync(new TelemetryRange("a", Continuation: changed))).Items.Count <= 2;
            }
            catch (MillraceException e)
            {
                return e.Error.Code == "ST-0002";
            }
        }, iter: Samples.Of(80), threads: 1);
    }
}
