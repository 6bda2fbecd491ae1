using System.Text;
using CsCheck;
using Millrace.Contracts;
using Millrace.Saql.Files;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

[Category("Samples")]
public class FileLineTests
{
    private const string Query =
        """
        WITH s AS (
            SELECT room, SUM(x) AS s, MAX(IoTHub.MessageId) AS m, System.Timestamp() AS t FROM telemetry TIMESTAMP BY ts
            GROUP BY room, HoppingWindow(second, 6, 2)
        )
        SELECT * INTO windows FROM s
        SELECT *, PartitionId, EventEnqueuedUtcTime AS e, EventProcessedUtcTime AS p, IoTHub INTO rows FROM telemetry
        """;

    [Test]
    public void The_same_records_give_the_same_rows_live_and_as_lines_of_a_file() =>
        Gen.Int[0, int.MaxValue].Sample(seed =>
    {
        var random = new Random(seed);
        var partitions = random.Next(1, 4);
        var plan = QueryRun.Compile(Query.Replace("MAX(IoTHub.MessageId)",
            "MAX(CAST(IoTHub.MessageId AS nvarchar(max)))"));
        var options = new QueryEngineOptions("q", 1) { OutOfOrderTolerance = TimeSpan.FromSeconds(random.Next(3)) };
        var lines = new List<string>();
        var builders = Enumerable.Range(0, partitions).Select(_ => new RecordBatchBuilder()).ToList();
        var time = 0L;
        for (var i = 0; i < 40; i++)
        {
            time += random.Next(1_500);
            var enqueued = Naive.Time(time * Naive.Ms);
            var partition = random.Next(partitions);
            var ts = Naive.Time(Math.Max(0, time - random.Next(8_000)) * Naive.Ms);
            var body = $"\"x\":{random.Next(9)},\"room\":{random.Next(2)},\"ts\":\"{ts}\"";
            lines.Add($"{{\"PartitionId\":{partition},{body},\"EventEnqueuedUtcTime\":\"{enqueued}\"," +
                $"\"IoTHub\":{{\"ConnectionDeviceId\":\"d{partition}\",\"MessageId\":\"m{i}\"}}}}");
            builders[partition].Begin(new DateTimeOffset(Naive.Epoch).ToUnixTimeMilliseconds() + time,
                Encoding.UTF8.GetBytes($"d{partition}"));
            builders[partition].AddHeader(TelemetryHeaders.MessageId, Encoding.UTF8.GetBytes($"m{i}"));
            builders[partition].End(Encoding.UTF8.GetBytes($"{{{body}}}"));
        }

        var file = QueryRun.Over(plan, new Dictionary<string, IEnumerable<string>> { ["telemetry"] = lines }, options);
        var live = new QueryRun(plan);
        var used = Enumerable.Range(0, partitions).Where(p => builders[p].Count > 0).ToList();
        var engine = new QueryEngine(plan, options,
            [.. used.Select(p => new QuerySource("telemetry", new TopicPartition("telemetry", p), 0))], live);
        foreach (var p in used)
            engine.Process(new RecordBatch(new TopicPartition("telemetry", p), 0, builders[p].Count,
                builders[p].Bytes));
        engine.Complete();
        foreach (var output in plan.Outputs)
        {
            var expected = live.Rows.Where(row => row.Output == output).ToList();
            if (!expected.SequenceEqual(file.Rows.Where(row => row.Output == output)))
                throw new InvalidOperationException($"{output} differs");
        }
    }, iter: Samples.Of(100));

    [Test]
    public void Metadata_are_taken_off_the_body()
    {
        using var builder = new RecordBatchBuilder();
        var error = FileLine.Append(
            """
             {"a":1, "PartitionId":2,"EventProcessedUtcTime":null,"IoTHub":{"ConnectionDeviceId":"d"},
            "b":{"PartitionId":3}}
            """u8,
            _ => builder, out var partition);
        Assert.That((error, partition), Is.EqualTo(((object?)null, 2)));
        foreach (var record in new RecordBatch(new TopicPartition("t", 2), 0, 1, builder.Bytes))
        {
            Assert.That(Encoding.UTF8.GetString(record.Value), Is.EqualTo("""{"a":1,"b":{"PartitionId":3}}"""));
            Assert.That(Encoding.UTF8.GetString(record.Key), Is.EqualTo("d"));
        }
    }

    [TestCase("", "SQ-0301")]
    [TestCase("[1]", "SQ-0301")]
    [TestCase("{\"a\":1} x", "SQ-0301")]
    [TestCase("{\"a\":", "SQ-0301")]
    [TestCase("{\"PartitionId\":-1}", "SQ-0302")]
    [TestCase("{\"PartitionId\":\"0\"}", "SQ-0302")]
    [TestCase("{\"EventEnqueuedUtcTime\":\"yesterday\"}", "SQ-0302")]
    [TestCase("{\"EventProcessedUtcTime\":5}", "SQ-0302")]
    [TestCase("{\"IoTHub\":\"d\"}", "SQ-0302")]
    public void A_line_that_is_no_record_is_told_and_nothing_is_appended(string line, string code)
    {
        using var builder = new RecordBatchBuilder();
        Assert.That(FileLine.Append(Encoding.UTF8.GetBytes(line), _ => builder, out _)!.Code, Is.EqualTo(code));
        Assert.That(builder.Count, Is.Zero);
    }
}
