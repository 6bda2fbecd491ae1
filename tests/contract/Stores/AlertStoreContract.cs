using CsCheck;
using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.Alerts;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

[Category("Samples")]
public abstract class AlertStoreContract : StoreContract<IAlertStore>
{
    [Test]
    public async Task A_row_of_the_same_id_takes_the_place_of_the_one_before()
    {
        await Store.WriteAsync(Partition(0), [Alert("r1", 5), Alert("r2", 6)], new SinkPosition(2, "epochs"));
        var again = Alert("r1", 7) with { Message = "again", DeviceId = null, DetailsJson = """{"t":1}""" };
        await Store.WriteAsync(Partition(0), [again], new SinkPosition(3));
        Reopen();

        Assert.That(await Store.CountAsync(), Is.EqualTo(2));
        var found = (await Store.QueryAsync(new AlertFilter())).Items;
        Assert.That(found, Is.EqualTo(new[] { again, Alert("r2", 6) }));
        Assert.That(await Store.PositionAsync(Partition(0)), Is.EqualTo(new SinkPosition(3)));
        Assert.That(await Store.PositionAsync(Partition(1)), Is.Null);
    }

    [Test]
    public async Task A_filter_gives_what_fits_newest_first_whatever_the_page()
    {
        var random = new Random(5);
        var rows = Enumerable.Range(0, 200).Select(i => Alert($"r{i:000}", random.Next(40)) with
        {
            DeviceId = i % 5 == 0 ? null : $"d{i % 3}",
            Query = $"q{i % 4}",
            Severity = (AlertSeverity)random.Next(3),
        }).ToList();
        await Store.WriteAsync(Partition(0), rows, new SinkPosition(200));
        var filter = Gen.Select(Gen.OneOfConst(null, "d0", "d2", "none"), Gen.OneOfConst(null, "q1", "q3"),
            Gen.OneOfConst<AlertSeverity?>(null, AlertSeverity.Warning, AlertSeverity.Critical),
            Gen.Int[-1, 41].Nullable(), Gen.Int[-1, 41].Nullable(), Gen.Int[1, 30],
            (device, query, severity, from, to, limit) => new AlertFilter(device, query, severity,
                from is { } f ? Noon.AddSeconds(f) : null, to is { } t ? Noon.AddSeconds(t) : null, limit));
        await filter.SampleAsync(async f =>
        {
            var got = await AllAsync(f.Limit, token => Store.QueryAsync(f with { Continuation = token }));
            var expected = rows.Where(r => f.DeviceId is null || r.DeviceId == f.DeviceId)
                .Where(r => f.Query is null || r.Query == f.Query)
                .Where(r => f.SeverityMin is null || r.Severity >= f.SeverityMin)
                .Where(r => (f.From is null || r.At >= f.From) && (f.To is null || r.At < f.To))
                .OrderByDescending(r => r.At).ThenByDescending(r => r.RowId, StringComparer.Ordinal);
            return got.SequenceEqual(expected);
        }, iter: Samples.Of(30), threads: 1);
    }

    [Test]
    public async Task A_page_looks_at_so_many_rows_and_goes_on_behind_them_whatever_it_found(
        [Values(1, 7, 50, 1_000)] int lookedAt, [Values(1, 30)] int limit)
    {
        var rows = Enumerable.Range(0, 100).Select(i => Alert($"r{i:000}", i / 3) with
        {
            DeviceId = $"d{i % 2}",
            Query = $"q{i % 5}",
            Severity = i % 10 == 0 ? AlertSeverity.Critical : AlertSeverity.Info,
        }).Reverse().ToList();
        await Store.WriteAsync(Partition(0), rows, new SinkPosition(100));

        // Each with the rows that are looked at for it: all, its device's, its query's.
        (AlertFilter, Func<AlertRow, bool>)[] searches =
        [
            (new AlertFilter(SeverityMin: AlertSeverity.Critical), _ => true),
            (new AlertFilter("d0", "q3"), row => row.DeviceId == "d0"),
            (new AlertFilter(Query: "q0", SeverityMin: AlertSeverity.Critical), row => row.Query == "q0"),
        ];
        foreach (var (filter, isLookedAt) in searches)
        {
            var expected = new Queue<AlertRow>(rows.Where(isLookedAt));
            string? token = null;
            do
            {
                var page = await Store.QueryAsync(
                    filter with { LookedAtMax = lookedAt, Limit = limit, Continuation = token });
                var fit = new List<AlertRow>();
                for (var i = 0; i < lookedAt && fit.Count < limit && expected.TryDequeue(out var row); i++)
                    if (Fits(filter, row)) fit.Add(row);
                Assert.That(page.Items, Is.EqualTo(fit), $"{filter}");
                Assert.That(page.Continuation is null, Is.EqualTo(expected.Count == 0), $"{filter}");
                token = page.Continuation;
            }
            while (token is not null);
        }
    }

    [Test]
    public virtual async Task Old_rows_expire_however_many_they_are()
    {
        var rows = Enumerable.Range(0, 11_000).Select(i => Alert($"r{i}", i)).ToList();
        await Store.WriteAsync(Partition(0), rows, new SinkPosition(11_000));
        Assert.That(await Store.ExpireAsync(Noon.AddSeconds(10_500)), Is.EqualTo(10_500));
        Assert.That(await Store.ExpireAsync(Noon.AddSeconds(10_500)), Is.Zero);
        Assert.That(await Store.CountAsync(), Is.EqualTo(500));
    }

    [TestCase("nonsense")]
    [TestCase("")]
    public void A_token_that_is_none_is_told_by_its_code(string token) => Assert.That(
        CodeOf(async () => await Store.QueryAsync(new AlertFilter(Continuation: token))), Is.EqualTo("ST-0002"));

    private static bool Fits(AlertFilter filter, AlertRow row) =>
        (filter.DeviceId ?? row.DeviceId) == row.DeviceId && (filter.Query ?? row.Query) == row.Query
        && row.Severity >= (filter.SeverityMin ?? 0);

    private static AlertRow Alert(string rowId, int atSeconds) => new(
        rowId, "q", 1, "d", AlertSeverity.Warning, "hot", Noon.AddSeconds(atSeconds), "{}");
}
