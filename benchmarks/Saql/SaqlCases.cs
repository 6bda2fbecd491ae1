namespace Millrace.Benchmarks.Saql;

/// <summary>What is measured. 100,000 events are a second of the stream's time; a device sends ten of them.</summary>
internal static class SaqlCases
{
    private const int Million = 1_000_000;
    private const string Device = "IoTHub.ConnectionDeviceId";

    private const string Absence =
        $"""
        SELECT a.{Device} AS d FROM telemetry a LEFT JOIN telemetry b
            ON a.{Device} = b.{Device} AND DATEDIFF(millisecond, a, b) BETWEEN 1 AND 200 WHERE b.temperature IS NULL
        """;

    private const string Lag =
        $"""
        SELECT {Device} AS d, temperature FROM telemetry
        WHERE temperature - LAG(temperature) OVER (PARTITION BY {Device} LIMIT DURATION(minute, 1)) > 49.9
        """;

    private const string Fence =
        """
        SELECT temperature FROM telemetry WHERE ST_WITHIN(CreatePoint(position.lat, position.lon), CreatePolygon(
            CreatePoint(10, 10), CreatePoint(10, 11), CreatePoint(11, 11.5), CreatePoint(12, 10.5), CreatePoint(11, 9),
            CreatePoint(10, 10))) = 1
        """;

    private const string Pattern =
        $"""
        SELECT * FROM telemetry MATCH_RECOGNIZE (LIMIT DURATION(second, 10) PARTITION BY {Device}
            MEASURES Last(B.temperature) AS t AFTER MATCH SKIP TO NEXT ROW PATTERN (A A B)
            DEFINE A AS A.temperature > 69, B AS B.temperature < 21) AS m
        """;

    private const string Filter = "SELECT * FROM telemetry WHERE temperature > 65";

    private const string Projection = $"SELECT {Device} AS d, temperature, humidity FROM telemetry";

    private const string OwnTimelines =
        $"""
        SELECT {Device} AS d, AVG(temperature) AS t FROM telemetry TIMESTAMP BY EventEnqueuedUtcTime OVER {Device}
        GROUP BY {Device}, TumblingWindow(minute, 3)
        """;

    private const string Score =
        "SELECT temperature FROM telemetry WHERE ML_SCORE('wear', temperature, humidity) > 249";

    public static IEnumerable<SaqlCase> All() => Rules().Concat(Windows()).Concat(Others());

    private static IEnumerable<SaqlCase> Rules()
    {
        foreach (var devices in new[] { Telemetry.Devices, Million })
        {
            var rules = new RuleCase(devices);
            yield return new($"10 rules over 3 fields, from bytes{Of(devices)}", rules.RunEngine, rules.RunByHand,
                () => rules.Rows, 1e9 / 1.5e6, Warm(devices));
        }

        foreach (var shares in new[] { false, true })
        {
            var (queries, loop) = (new SharedCase(shares), new RuleCase());
            yield return new($"10 queries of one rule each over one input, {(shares ? "decoded once" : "each alone")}",
                queries.Run, loop.RunByHand, () => queries.Rows);
        }

        foreach (var devices in new[] { Telemetry.Devices, Million })
        {
            var window = new WindowCase(devices: devices);
            yield return new($"tumbling average by device, from bytes{Of(devices)}", window.RunEngine,
                window.RunByHand, () => window.Rows, null, Warm(devices));
        }
    }

    private static IEnumerable<SaqlCase> Windows()
    {
        var window = new WindowCase();
        yield return new("tumbling average by device, decoded events", window.RunDecoded, window.RunDecodedByHand,
            () => window.Rows, 25);
        var hopping = new WindowCase("HoppingWindow(second, 180, 60)");
        yield return new("hopping average by device (3 panes), decoded events", hopping.RunDecoded,
            hopping.RunDecodedByHand, () => hopping.Rows);
        var merged = new WindowCase("TumblingWindow(minute, 3)", partitions: 4);
        yield return new("tumbling over 4 partitions merged by time, from bytes", merged.RunEngine, merged.RunByHand,
            () => merged.Rows);
        foreach (var (name, text) in new[]
        {
            ("tumbling, 1 s", "TumblingWindow(second, 1)"), ("hopping, 2 s every 1 s", "HoppingWindow(second, 2, 1)"),
            ("sliding, 1 s", "SlidingWindow(second, 1)"),
            ("session, 200 ms of silence", $"SessionWindow(millisecond, 200, 10000) OVER (PARTITION BY {Device})"),
            ("snapshot", "System.Timestamp()"),
            ("Windows() of tumbling 1 s and 2 s",
                "Windows(Window('a', TumblingWindow(second, 1)), Window('b', TumblingWindow(second, 2)))"),
        })
        {
            var one = new WindowCase(text);
            yield return new($"{name}: average by device, from bytes", one.RunEngine, one.RunByHand, () => one.Rows,
                WarmEvents: 3 * HandLoops.EventsASecond);
        }
    }

    private static IEnumerable<SaqlCase> Others()
    {
        foreach (var (name, query, loop) in new (string, string, Func<HandLoops, HandLoop>)[]
        {
            ("filter, one event in ten as it is", Filter, loops => loops.Filter),
            ("projection, three columns of each event", Projection, loops => loops.Projection),
            ("tumbling average, each device on its own timeline", OwnTimelines, loops => loops.Sum),
            ("self join for absence: nothing within 200 ms", Absence, loops => loops.Absence),
            ("LAG by device", Lag, loops => loops.Lag),
            ("geofence of 5 corners", Fence, loops => loops.Fence),
            ("MATCH_RECOGNIZE, A A B by device", Pattern, loops => loops.Pattern),
            ("ML_SCORE, an ONNX model of 2 features", Score, loops => loops.Score),
        })
        {
            var one = new QueryCase(query, loop(new HandLoops()));
            yield return new($"{name}, from bytes", one.RunEngine, one.RunByHand, () => one.Rows,
                WarmEvents: HandLoops.EventsASecond);
        }
    }

    private static string Of(int devices) => devices == Telemetry.Devices ? "" : $", {devices:n0} devices";

    /// <summary>Until each device was seen.</summary>
    private static long Warm(int devices) => devices == Telemetry.Devices ? 0 : devices + (devices / 10);
}
