using System.Diagnostics;
using Millrace.Stores.Identities;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Benchmarks.Devices;

/// <summary>
/// The registry's store with a million devices, on one Cassandra node and on SQLite: making them, finding one, lists
/// and searches.
/// </summary>
internal static class DevicesBenchmark
{
    private const int Devices = 1_000_000;
    private const int DevicesAtOnce = 1_000;
    private const int Sites = 100;
    private const int DisabledEach = 1_000;
    private const int PageDevices = 100;
    private const int LookedAtMax = 100_000;

    private static readonly DateTimeOffset Made = DateTimeOffset.FromUnixTimeSeconds(1_790_000_000);

    private static readonly (string Name, DeviceFilter Filter, int Times)[] Pages =
    [
        ("the first", DeviceFilter.All, 100),
        ("by prefix, one of 10,000", new DeviceFilter { IdPrefix = "device-05000" }, 100),
        ("by a tag that one of 100 has", Tagged("site", "s7"), 20),
        ("by status, one of 1,000", new DeviceFilter { Status = DeviceStatus.Disabled, LookedAtMax = LookedAtMax }, 5),
    ];

    public static async Task RunAsync(Report report)
    {
        await using var set = await EngineSet.StartAsync("cassandra", 1, "1g");
        if (set is null)
        {
            report.Line("There is no engines command to start Cassandra with.");
            return;
        }

        await using var cassandra = new StoreServices(("Stores:Kind", "Cassandra"),
            ("Cassandra:ContactPoints", "127.0.0.1"), ("Cassandra:Port", set.Variables["CASSANDRA_PORT"]),
            ("Cassandra:ReplicationFactor", "1"), ("Cassandra:RequestTimeout", "1m"));
        await using var sqlite = new StoreServices();
        report.Line($"{Devices:n0} devices with keys and three tags, in the registry's store, with one Cassandra node "
            + "on the same cores. Times in ms: p50 and p99, or p50 alone. "
            + $"A page looks at {LookedAtMax:n0} devices at most.");
        report.Line();
        var onCassandra = await MeasureAsync(cassandra.Get<IIdentityStore>());
        var onSqlite = await MeasureAsync(sqlite.Get<IIdentityStore>());
        report.Line("| what | Cassandra | SQLite |");
        report.Line("|---|---:|---:|");
        foreach (var (one, other) in onCassandra.Zip(onSqlite))
            report.Line($"| {one.What} | {one.Figure} | {other.Figure} |");
    }

    private static async Task<List<(string What, string Figure)>> MeasureAsync(IIdentityStore store)
    {
        List<(string, string)> figures = [];
        var watch = Stopwatch.StartNew();
        await Parallel.ForEachAsync(Enumerable.Range(0, Devices / DevicesAtOnce),
            new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (part, ct) => await store.CreateManyAsync(
                [.. Enumerable.Range(part * DevicesAtOnce, DevicesAtOnce).Select(Device)], ct));
        figures.Add(($"made, {DevicesAtOnce:n0} a request", $"{Devices / watch.Elapsed.TotalSeconds:n0}/s"));

        var random = new Random(5);
        figures.Add(("one by its id", await TimesAsync(500,
            async () => await store.FindAsync(IdOf(random.Next(Devices))) is not null)));
        foreach (var (name, filter, times) in Pages)
        {
            figures.Add(($"page of {PageDevices}: {name}", await TimesAsync(times,
                async () => (await store.ListAsync(filter, PageDevices, null)).Items.Count == PageDevices)));
        }

        figures.Add(($"a tag that one has, all looked at", await TimesAsync(3, async () =>
            await AllAsync(store, Tagged("serial", $"sn-{Devices / 3}"), PageDevices) == 1)));
        watch.Restart();
        var listed = await AllAsync(store, DeviceFilter.All, DevicesAtOnce);
        figures.Add(($"all, in pages of {DevicesAtOnce:n0}", $"{listed / watch.Elapsed.TotalSeconds:n0}/s"));
        figures.Add(("counted", await TimesAsync(3, async () => await store.CountAsync() == Devices)));
        return figures;
    }

    private static async Task<int> AllAsync(IIdentityStore store, DeviceFilter filter, int limit)
    {
        var (count, token) = (0, (string?)null);
        do
        {
            var page = await store.ListAsync(filter, limit, token);
            (count, token) = (count + page.Items.Count, page.Continuation);
        }
        while (token is not null);
        return count;
    }

    /// <summary>After one to warm up. What is not as it should be ends the benchmark.</summary>
    private static async Task<string> TimesAsync(int times, Func<Task<bool>> work)
    {
        var samples = new Samples();
        for (var i = 0; i <= times; i++)
        {
            var watch = Stopwatch.StartNew();
            if (!await work()) throw new InvalidOperationException("Not what was stored.");
            if (i > 0) samples.Add(watch.Elapsed.TotalMilliseconds);
        }

        return times < 10 ? $"{samples.Median:n0}" : $"{samples.Median:f1}, {samples.At(0.99):f1}";
    }

    private static DeviceFilter Tagged(string name, string value) =>
        new() { Tags = [new TagFilter(name, value)], LookedAtMax = LookedAtMax };

    private static string IdOf(int i) => $"device-{i:0000000}";

    private static DeviceIdentity Device(int i) => new()
    {
        DeviceId = IdOf(i),
        GenerationId = "0123456789abcdef",
        Status = i % DisabledEach == 1 ? DeviceStatus.Disabled : DeviceStatus.Enabled,
        PrimaryKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        SecondaryKey = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=",
        TagsJson = $$"""{"site":"s{{i % Sites}}","line":{"no":{{i % 7}}},"serial":"sn-{{i}}"}""",
        CreatedAt = Made,
        UpdatedAt = Made,
    };
}
