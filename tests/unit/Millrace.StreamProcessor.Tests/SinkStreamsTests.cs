using System.Diagnostics.Metrics;
using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

public class SinkStreamsTests
{
    private static readonly TopicPartition Partition = new(Topics.Telemetry, 0);

    [Test]
    public async Task A_store_that_was_put_back_goes_on_at_what_is_kept_and_what_it_lacks_is_counted()
    {
        var missed = 0L;
        using var meters = new MeterListener();
        meters.InstrumentPublished = (found, listener) =>
        {
            if (found.Name == "millrace.warm.records.missed") listener.EnableMeasurementEvents(found);
        };
        meters.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref missed, value));
        meters.Start();
        await using var hub = new ProcessorFixture();
        await hub.StartTopicsAsync();
        for (var i = 0; i < 5; i++) await hub.AppendAsync(0, i, "d", "{}");
        var store = hub.Get<ITelemetryStore>();
        await store.WriteAsync(Partition, [], new SinkPosition(2));
        await hub.Log.TrimAsync(Partition, 5);
        await hub.AppendAsync(0, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), "d", "{}");

        await hub.StartAsync(service => service.GetType().Name != "HubTopics");
        await Eventually.TrueAsync(async () => await store.CountAsync() == 1, "what is kept is in the store");
        Assert.That(missed, Is.EqualTo(3));
    }
}
