using Millrace.Primitives;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Tests.Telemetry;

public class CassandraTelemetryOptionsTests
{
    [Test]
    public void The_defaults_keep_a_partition_under_its_limit()
    {
        var options = new CassandraTelemetryOptions();

        Assert.That(CassandraTelemetryOptionsValidator.Failures(options), Is.Empty);
        Assert.That(CassandraTelemetryOptionsValidator.PartitionBytes(options),
            Is.GreaterThan(50e6).And.LessThan(100e6));
    }

    [Test]
    public void A_bucket_that_a_device_at_its_limit_would_overfill_is_told_with_the_arithmetic()
    {
        var options = new CassandraTelemetryOptions { Bucket = TimeSpan.FromHours(1) };

        Assert.That(CassandraTelemetryOptionsValidator.Failures(options).Single(), Does.Contain("589,824,000"));
        options.DeviceBytesPerSecond = ByteSize.FromKiB(16);
        options.HubBytesPerSecond = ByteSize.FromMiB(2);
        Assert.That(CassandraTelemetryOptionsValidator.Failures(options), Is.Empty);
    }

    [TestCase("00:00:00.5")]
    [TestCase("8.00:00:00")]
    public void A_bucket_out_of_range_is_told(string bucket) => Assert.That(
        CassandraTelemetryOptionsValidator.Failures(
            new CassandraTelemetryOptions { Bucket = TimeSpan.Parse(bucket) }).First(),
        Does.StartWith("Cassandra:Telemetry:Bucket is"));

    [Test]
    public void A_change_cannot_begin_within_the_hour() => Assert.That(
        CassandraTelemetryOptionsValidator.Failures(
            new CassandraTelemetryOptions { ChangeLead = TimeSpan.FromMinutes(59) }).Single(),
        Does.StartWith("Cassandra:Telemetry:ChangeLead is"));
}
