using Millrace.Primitives;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Tests.Telemetry;

public class CassandraTelemetryOptionsTests
{
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(1);

    [Test]
    public void The_defaults_keep_a_partition_under_its_limit()
    {
        var options = new CassandraTelemetryOptions();

        Assert.That(CassandraTelemetryOptionsValidator.Failures(options, Ahead), Is.Empty);
        Assert.That(CassandraTelemetryOptionsValidator.PartitionBytes(options),
            Is.GreaterThan(50e6).And.LessThan(100e6));
    }

    [Test]
    public void A_bucket_that_a_device_at_its_limit_would_overfill_is_told_with_the_arithmetic()
    {
        var options = new CassandraTelemetryOptions { Bucket = TimeSpan.FromHours(1) };

        Assert.That(CassandraTelemetryOptionsValidator.Failures(options, Ahead).Single(), Does.Contain("589,824,000"));
        options.DeviceBytesPerSecond = ByteSize.FromKiB(16);
        options.HubBytesPerSecond = ByteSize.FromMiB(2);
        Assert.That(CassandraTelemetryOptionsValidator.Failures(options, Ahead), Is.Empty);
    }

    [TestCase("00:00:00.5")]
    [TestCase("8.00:00:00")]
    public void A_bucket_out_of_range_is_told(string bucket) => Assert.That(
        CassandraTelemetryOptionsValidator.Failures(
            new CassandraTelemetryOptions { Bucket = TimeSpan.Parse(bucket) }, Ahead).First(),
        Does.StartWith("Cassandra:Telemetry:Bucket is"));

    [TestCase("01:00:00", "01:09:59", false)]
    [TestCase("01:00:00", "01:10:00", true)]
    [TestCase("06:00:00", "02:00:00", false)]
    [TestCase("06:00:00", "06:10:00", true)]
    [TestCase("00:01:00", "00:59:59", false)]
    [TestCase("00:01:00", "01:00:00", true)]
    [TestCase("365.00:00:00", "366.00:00:00", true)]
    [TestCase("365.00:00:00", "367.00:00:00", false)]
    public void A_change_begins_behind_every_time_that_a_row_in_hand_may_have(string ahead, string lead, bool isValid)
    {
        var options = new CassandraTelemetryOptions { ChangeLead = TimeSpan.Parse(lead) };
        var failures = CassandraTelemetryOptionsValidator.Failures(options, TimeSpan.Parse(ahead)).ToList();

        Assert.That(failures, Has.Count.EqualTo(isValid ? 0 : 1));
        Assert.That(failures, Has.All.StartsWith("Cassandra:Telemetry:ChangeLead is"));
    }
}
