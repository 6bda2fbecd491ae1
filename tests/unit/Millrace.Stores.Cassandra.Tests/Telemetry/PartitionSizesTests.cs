using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Contracts;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra.Tests.Telemetry;

public class PartitionSizesTests
{
    [Test]
    public void A_partition_that_passes_the_limit_is_told_once()
    {
        var told = 0L;
        using var meters = new MeterListener();
        meters.InstrumentPublished = (found, listener) =>
        {
            if (found.Name == "millrace.stores.partitions.oversized") listener.EnableMeasurementEvents(found);
        };
        meters.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref told, value));
        meters.Start();
        var sizes = new PartitionSizes(10_000, NullLogger.Instance);
        var row = new TelemetryMessage
        {
            DeviceId = "d",
            Partition = 0,
            Offset = 0,
            EnqueuedAtMs = 0,
            EventAtMs = 0,
            Properties = new Dictionary<string, string> { ["name"] = "value" },
            Body = new byte[900],
        };
        for (var i = 0; i < 10; i++) sizes.Add(new TelemetryPartition(1, 0), row);
        Assert.That(told, Is.Zero);

        for (var i = 0; i < 10; i++) sizes.Add(new TelemetryPartition(1, 0), row);
        sizes.Add(new TelemetryPartition(2, 0), row);
        Assert.That(told, Is.EqualTo(1));
    }
}
