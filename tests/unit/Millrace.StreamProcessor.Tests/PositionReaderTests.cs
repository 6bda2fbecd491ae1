using System.Text;
using Millrace.Contracts;
using Millrace.Saql.Extensions;
using Millrace.Stores.Positions;
using Millrace.StreamProcessor.WarmWriter;

namespace Millrace.StreamProcessor.Tests;

public class PositionReaderTests
{
    [TestCase("CreatePoint(gps.lat, gps.lon)", """{"gps":{"lat":52.5,"lon":13.4}}""", 52.5, 13.4, null)]
    [TestCase("gps", """{"gps":"52.5|13.4|34.5"}""", 52.5, 13.4, 34.5)]
    [TestCase("gps", """{"gps":" -52.5 ; -13.4"}""", -52.5, -13.4, null)]
    [TestCase("gps", """{"gps":{"type":"Point","coordinates":[13.4,52.5,7]}}""", 52.5, 13.4, 7.0)]
    [TestCase("CONCAT(lat, ',', lon)", """{"lat":1.5,"lon":190}""", 1.5, -170.0, null)]
    public void A_position_is_read_by_the_configured_expression(
        string expression, string body, double latitude, double longitude, double? altitude)
    {
        var position = Read(expression, body).Single();

        Assert.That((position.Latitude, position.Longitude, position.Altitude),
            Is.EqualTo((latitude, longitude, altitude)));
        Assert.That((position.DeviceId, position.EventAtMs, position.EnqueuedAtMs, position.Offset),
            Is.EqualTo(("d", 1_000L, 1_000L, 40L)));
    }

    [TestCase("""{}""")]
    [TestCase("""{"gps":null}""")]
    [TestCase("""{"gps":""}""")]
    [TestCase("""{"gps":"somewhere"}""")]
    [TestCase("""{"gps":"91|0"}""")]
    [TestCase("""{"gps":"1|2|3|4"}""")]
    [TestCase("""{"gps":7}""")]
    [TestCase("""{"gps":{"type":"Point","coordinates":[13.4]}}""")]
    [TestCase("no JSON")]
    public void A_row_without_one_has_none(string body) => Assert.That(Read("gps", body), Is.Empty);

    [Test]
    public void A_batch_that_comes_again_gives_the_same_positions()
    {
        var reader = PositionReader.TryMake("gps", QueryExtensions.None, out _)!;
        string[] bodies = ["""{"gps":"1|1"}""", "{}", """[{"gps":"2|2"},{"gps":"3|3"}]"""];
        var (batch, rows) = Batch(bodies);
        var once = reader.Read([batch], rows);

        Assert.That(once.Select(position => (position.Offset, position.Latitude)),
            Is.EqualTo(new[] { (40L, 1.0), (42L, 2.0), (42L, 3.0) }));
        Assert.That(reader.Read([batch], rows), Is.EqualTo(once));
    }

    [TestCase("gps +")]
    [TestCase("a, b")]
    [TestCase("a INTO other FROM telemetry SELECT b")]
    [TestCase("NoSuchFunction(a)")]
    public void An_expression_that_does_not_compile_is_told_at_start(string expression)
    {
        var result = new StreamProcessorOptionsValidator(QueryExtensions.None).Validate(
            null, new StreamProcessorOptions { Position = expression });

        Assert.That(result.FailureMessage, Does.StartWith("StreamProcessor:Position").And.Contain("SQ-"));
    }

    private static List<DevicePosition> Read(string expression, string body)
    {
        var reader = PositionReader.TryMake(expression, QueryExtensions.None, out var wrong);
        Assert.That(wrong, Is.Null);
        var (batch, rows) = Batch([body]);
        return reader!.Read([batch], rows);
    }

    private static (RecordBatch Batch, List<TelemetryMessage> Rows) Batch(string[] bodies)
    {
        using var records = new RecordBatchBuilder();
        foreach (var body in bodies)
        {
            records.Begin(1_000, "d"u8, hasKey: true);
            records.End(Encoding.UTF8.GetBytes(body));
        }

        var partition = new TopicPartition(Topics.Telemetry, 0);
        var batch = new RecordBatch(partition, 40, bodies.Length, records.Bytes.ToArray());
        var rows = new List<TelemetryMessage>();
        foreach (var record in batch)
        {
            TelemetryMessage.TryRead(0, record, out var row);
            rows.Add(row!);
        }

        return (batch, rows);
    }
}
