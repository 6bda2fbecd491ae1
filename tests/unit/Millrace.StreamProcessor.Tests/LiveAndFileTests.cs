using System.Globalization;
using System.Text;
using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Saql.Files;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Queries;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>
/// A live query answers what a run over files answers on the same records: the same rows under the same identities,
/// whatever it groups by and whatever the policies do.
/// </summary>
public class LiveAndFileTests
{
    private const int Records = 400;

    private ProcessorFixture _hub = null!;

    [SetUp]
    public async Task Open() => await (_hub = new ProcessorFixture()).StartAsync();

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [TestCase("SELECT IoTHub.ConnectionDeviceId AS d, v, System.Timestamp() AS t INTO o FROM telemetry WHERE v > 50")]
    [TestCase("SELECT v, System.Timestamp() AS t, EventProcessedUtcTime AS p INTO o FROM telemetry TIMESTAMP BY at")]
    [TestCase("SELECT IoTHub.ConnectionDeviceId AS d, COUNT(*) AS n, AVG(v) AS a INTO o FROM telemetry TIMESTAMP BY " +
        "at GROUP BY IoTHub.ConnectionDeviceId, HoppingWindow(Duration(second, 9), Hop(second, 3), Offset(ms, -1))")]
    [TestCase("SELECT room, COUNT(*) AS n, STDEV(v) AS s INTO o FROM telemetry TIMESTAMP BY at GROUP BY room, " +
        "TumblingWindow(second, 5) HAVING COUNT(*) > 1")]
    [TestCase("SELECT PartitionId, SUM(v) AS s INTO o FROM telemetry GROUP BY PartitionId, TumblingWindow(second, 4)")]
    [TestCase("SELECT COUNT(*) AS n, MIN(v) AS lo, System.Timestamp() AS t INTO o FROM telemetry TIMESTAMP BY at " +
        "GROUP BY System.Timestamp()")]
    [TestCase("WITH s AS (SELECT IoTHub.ConnectionDeviceId AS d, MAX(v) AS m FROM telemetry TIMESTAMP BY at GROUP BY " +
        "IoTHub.ConnectionDeviceId, TumblingWindow(second, 3)) SELECT COUNT(*) AS devices, SUM(m) AS s INTO o FROM s " +
        "GROUP BY TumblingWindow(second, 6)")]
    [TestCase("SELECT IoTHub.ConnectionDeviceId AS d, COUNT(*) AS n, SUM(v) AS s INTO o FROM telemetry TIMESTAMP BY " +
        "at GROUP BY IoTHub.ConnectionDeviceId, SlidingWindow(second, 2)")]
    [TestCase("SELECT IoTHub.ConnectionDeviceId AS d, COUNT(*) AS n, System.Timestamp() AS t INTO o FROM telemetry " +
        "GROUP BY IoTHub.ConnectionDeviceId, SessionWindow(ms, 500, 9000) OVER (PARTITION BY " +
        "IoTHub.ConnectionDeviceId)")]
    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry TIMESTAMP BY at GROUP BY room, " +
        "SessionWindow(ms, 400, 5000)")]
    [TestCase("SELECT v, LAG(v) OVER (PARTITION BY IoTHub.ConnectionDeviceId LIMIT DURATION(second, 3)) AS l, AVG(v) " +
        "OVER (PARTITION BY IoTHub.ConnectionDeviceId LIMIT DURATION(second, 2)) AS a INTO o FROM telemetry " +
        "TIMESTAMP BY at")]
    [TestCase("SELECT a.v AS x, b.v AS y INTO o FROM telemetry a TIMESTAMP BY at LEFT JOIN telemetry b TIMESTAMP BY " +
        "at ON a.IoTHub.ConnectionDeviceId = b.IoTHub.ConnectionDeviceId AND DATEDIFF(second, a, b) BETWEEN 1 AND 2 " +
        "AND b.v > 50")]
    [TestCase("SELECT a.v AS x, b.v AS y INTO o FROM telemetry a JOIN telemetry b ON a.room = b.room AND " +
        "DATEDIFF(ms, a, b) BETWEEN 1 AND 300")]
    [TestCase("SELECT * INTO o FROM telemetry TIMESTAMP BY at MATCH_RECOGNIZE (LIMIT DURATION(second, 5) PARTITION " +
        "BY room MEASURES First(A.v) AS a, Last(B.v) AS b PATTERN (A+ B) DEFINE A AS A.v < 60, B AS B.v > 40) AS m")]
    [TestCase("SELECT room, System.Window().Id AS w, Percentile_Cont(0.9) OVER (ORDER BY v) AS p INTO o FROM " +
        "telemetry GROUP BY room, Windows(Window('a', TumblingWindow(second, 3)), Window('b', HoppingWindow(second, " +
        "6, 2)))")]
    [TestCase("WITH s AS (SELECT room, v, 'low' AS k FROM telemetry TIMESTAMP BY at WHERE v < 30 UNION SELECT room, " +
        "v, 'high' AS k FROM telemetry TIMESTAMP BY at WHERE v > 20) SELECT k, room, TopOne(v) OVER (ORDER BY v " +
        "DESC) AS top INTO o FROM s GROUP BY k, room, TumblingWindow(second, 4)")]
    [TestCase("CREATE TABLE telemetry (v bigint, room nvarchar(max), at datetime); SELECT t.room, e.PropertyName AS " +
        "name, e.PropertyValue AS value INTO o FROM telemetry t CROSS APPLY GetRecordProperties(t.IoTHub) AS e " +
        "WHERE e.PropertyName = 'ConnectionDeviceId' AND t.v > 40")]
    [TestCase("SELECT v, AnomalyDetection_SpikeAndDip(v, 95, 20, 'spikesanddips') OVER (PARTITION BY " +
        "IoTHub.ConnectionDeviceId LIMIT DURATION(second, 30)) AS s INTO o FROM telemetry TIMESTAMP BY at")]
    [TestCase("SELECT a.v AS x, b.v AS y, c.v AS z INTO o FROM telemetry a TIMESTAMP BY at JOIN telemetry b " +
        "TIMESTAMP BY at ON a.room = b.room AND DATEDIFF(ms, a, b) BETWEEN 1 AND 200 JOIN telemetry c TIMESTAMP BY " +
        "at ON b.room = c.room AND DATEDIFF(ms, b, c) BETWEEN 1 AND 200")]
    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry TIMESTAMP BY at OVER room " +
        "GROUP BY room, TumblingWindow(second, 5)")]
    [TestCase("SELECT a.room, a.v AS x, b.v AS y INTO o FROM telemetry a TIMESTAMP BY at OVER room LEFT JOIN " +
        "telemetry b TIMESTAMP BY at OVER room ON a.room = b.room AND DATEDIFF(ms, a, b) BETWEEN 1 AND 300 AND b.v > " +
        "a.v WHERE a.v < 60")]
    public async Task A_live_query_answers_what_a_run_over_files_answers(string text)
    {
        var seed = text.Length;
        await FillAsync(new Random(seed));
        foreach (var policy in new[] { EventOrderPolicy.Adjust, EventOrderPolicy.Drop })
        {
            var config = Config($"q-{policy}", text.Replace("INTO o", $"INTO {policy}"), policy);
            await _hub.Get<IQueryStore>().SaveAsync(config, 0);
            var expected = await OverFilesAsync(config);
            Assert.That(expected, Is.Not.Empty);
            await Eventually.TrueAsync(
                async () => (await _hub.RowsAsync($"{policy}")).Count >= expected.Count, $"{policy} has its rows");
            Assert.That(await _hub.RowsAsync($"{policy}"), Is.EqualTo(expected), $"seed {seed}");
        }
    }

    /// <summary>The log's records as lines of a file, through the engine as a run over files has it.</summary>
    private async Task<SortedDictionary<string, string>> OverFilesAsync(QueryConfig config)
    {
        var plan = SaqlCompiler.Compile(config.Text).Plan!;
        var place = new QueryPlace(config, plan, -1, [], [], new Dictionary<TopicPartition, long>());
        var partitions = Enumerable.Range(0, ProcessorFixture.Partitions)
            .Select(p => new TopicPartition(Topics.Telemetry, p)).ToList();
        var rows = new Rows();
        var engine = new QueryEngine(plan, place.EngineOptions(new StreamProcessorOptions()),
            [.. partitions.Select(p => new QuerySource(Topics.Telemetry, p, 0) { IsFile = true })], rows);
        foreach (var partition in partitions)
        {
            using var lines = new RecordBatchBuilder();
            await using var reader = _hub.Log.OpenReader(partition, 0);
            while (await reader.TryReadAsync(4_000) is { } batch)
            {
                foreach (var record in batch)
                    Assert.That(FileLine.Append(Line(partition, record), _ => lines, out var _), Is.Null);
            }

            engine.Process(new RecordBatch(partition, 0, lines.Count, lines.Bytes.ToArray()));
        }

        engine.Complete();
        return rows.ById;
    }

    private static byte[] Line(TopicPartition partition, RecordView record)
    {
        var enqueued = DateTimeOffset.FromUnixTimeMilliseconds(record.TimestampMs).ToString("O");
        var device = Encoding.UTF8.GetString(record.Key);
        var body = Encoding.UTF8.GetString(record.Value);
        return Encoding.UTF8.GetBytes(
            $"{{\"EventEnqueuedUtcTime\":\"{enqueued}\",\"PartitionId\":{partition.Partition}," +
            $"\"IoTHub\":{{\"ConnectionDeviceId\":\"{device}\"}},{body[1..]}");
    }

    /// <summary>
    /// Events of the past hour, so that a mark closes every window: some late, some early, some swapped.
    /// </summary>
    private async Task FillAsync(Random random)
    {
        var now = TimeProvider.System.GetUtcNow().AddHours(-1);
        for (var i = 0; i < Records; i++)
        {
            now = now.AddMilliseconds(random.Next(120));
            var device = random.Next(9);
            var at = now.AddMilliseconds(random.Next(10) switch
            {
                0 => -random.Next(9_000),
                1 => random.Next(2_000),
                2 when i % 50 == 0 => 400_000,
                _ => -random.Next(300),
            }).ToString("O", CultureInfo.InvariantCulture);
            await _hub.AppendAsync(device % ProcessorFixture.Partitions, now.ToUnixTimeMilliseconds(), $"d{device}",
                $$"""{"v":{{random.Next(100)}},"room":"r{{random.Next(3)}}","at":"{{at}}"}""");
        }
    }

    private static QueryConfig Config(string name, string text, EventOrderPolicy policy) => new()
    {
        Name = name,
        Version = 1,
        Text = text,
        Options = new QueryOptions
        {
            StartFrom = "earliest",
            LateTolerance = TimeSpan.FromSeconds(3),
            OutOfOrderTolerance = TimeSpan.FromMilliseconds(200),
            Policy = policy,
        },
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };

    private sealed class Rows : IQueryRowSink
    {
        public SortedDictionary<string, string> ById { get; } = new(StringComparer.Ordinal);

        public void Row(in QueryRow row) => ById.Add(
            Encoding.UTF8.GetString(row.RowId), Encoding.UTF8.GetString(row.Json));

        public void Failed(in QueryRowFailure failure) => Assert.Fail(failure.Reason);

        public void Dropped(TopicPartition source, long offset, int element, bool isLate)
        {
        }
    }
}
