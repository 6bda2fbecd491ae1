using System.Text;
using Millrace.Contracts;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>Other tools read what is in the cluster, and write into it.</summary>
public sealed class KafkaToolTests : KafkaTest
{
    private Tool _kcat = null!;

    [SetUp]
    public void FindTool()
    {
        if (Tool.Find("kcat") is { } kcat) _kcat = kcat;
        else Assert.Ignore("kcat is not installed: apt-get install kcat");
    }

    [Test]
    public async Task Another_tool_reads_key_body_time_and_headers_as_they_are()
    {
        var log = await OpenAsync("telemetry");
        var partition = new TopicPartition("telemetry", Partitioner.PartitionOf("pump-1"u8, 4));
        using var records = new RecordBatchBuilder();
        records.Begin(1_700_000_000_123, "pump-1"u8);
        records.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
        records.AddHeader(TelemetryHeaders.ApplicationPrefix, "line"u8, "7"u8);
        records.End("""{"v":1}"""u8);
        records.Begin(1_700_000_000_124, default, hasKey: false);
        records.End(default);
        await log.AppendAsync(partition, records);

        var (code, output) = await _kcat.RunAsync("-b", Options.BootstrapServers, "-C", "-q", "-e", "-t",
            Options.Prefix + "telemetry", "-p", $"{partition.Partition}", "-f", "%o|%k|%K|%s|%S|%T|%h\n");

        Assert.That((code, output), Is.EqualTo((0,
            "0|pump-1|6|{\"v\":1}|7|1700000000123|content-type=application/json,app.line=7\n" +
            "1||-1||0|1700000000124|\n")));
    }

    [Test]
    public async Task Records_of_another_tool_are_read_like_any_other_and_stand_where_their_key_belongs()
    {
        var log = await OpenAsync("telemetry");
        using var folder = new TemporaryFolder();
        var keys = Enumerable.Range(0, 50).Select(n => $"dévice-{n}").ToList();
        await File.WriteAllLinesAsync(folder.Sub("lines"), keys.Select(key => $"{key}|body of {key}"));

        var (code, output) = await _kcat.RunAsync("-b", Options.BootstrapServers, "-P", "-t",
            Options.Prefix + "telemetry", "-K", "|", "-X", "partitioner=murmur2_random", "-H", "made-by=kcat", "-l",
            folder.Sub("lines"));
        Assert.That(code, Is.Zero, output);

        var read = new List<string>();
        for (var p = 0; p < 4; p++)
        {
            var partition = new TopicPartition("telemetry", p);
            var end = (await log.RangeAsync(partition)).Next;
            await using var reader = log.OpenReader(partition, 0);
            while (reader.Position < end) Look(await reader.ReadAsync(), p, read);
        }

        Assert.That(read, Is.EquivalentTo(keys));
    }

    private static void Look(RecordBatch batch, int partition, List<string> read)
    {
        foreach (var record in batch)
        {
            var key = Encoding.UTF8.GetString(record.Key);
            Assert.That(partition, Is.EqualTo(Partitioner.PartitionOf(record.Key, 4)), key);
            Assert.That(Encoding.UTF8.GetString(record.Value), Is.EqualTo($"body of {key}"));
            Assert.That(record.TryGetHeader("made-by"u8, out var tool) && tool.SequenceEqual("kcat"u8), Is.True);
            read.Add(key);
        }
    }
}
