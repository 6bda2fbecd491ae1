using System.Diagnostics.Metrics;

namespace Millrace.Gateway;

/// <summary>What the gateway counts. Publishes: received = accepted + rejected + those in flight.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    public const string MeterName = "Millrace.Gateway";

    private readonly Meter _meter;
    private readonly UpDownCounter<long> _connections;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _closed;
    private readonly Counter<long> _malformed;
    private readonly Counter<long> _received;
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _rejected;
    private readonly Counter<long> _bytes;
    private readonly UpDownCounter<long> _inFlight;
    private readonly Histogram<double> _ackLatency;
    private readonly Counter<long> _pauses;
    private readonly Counter<long> _lifecycle;
    private readonly Counter<long> _lifecycleLost;
    private readonly Counter<long> _lifecycleWaits;
    private readonly Counter<long> _rechecksFailed;
    private readonly Counter<long> _subscriptionsRefused;

    public GatewayMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _connections = _meter.CreateUpDownCounter<long>("millrace.gateway.connections", "{connection}", "Open now");
        _refusals = _meter.CreateCounter<long>(
            "millrace.gateway.refusals", "{connection}", "Connections that were not let in, by reason");
        _closed = _meter.CreateCounter<long>(
            "millrace.gateway.disconnects", "{connection}", "Connections that ended, by reason");
        _malformed = _meter.CreateCounter<long>(
            "millrace.gateway.malformed", "{packet}", "Packets that broke the protocol, by reason");
        _received = _meter.CreateCounter<long>("millrace.gateway.publishes.received", "{message}");
        _accepted = _meter.CreateCounter<long>(
            "millrace.gateway.publishes.accepted", "{message}", "Publishes that are durable in the log");
        _rejected = _meter.CreateCounter<long>(
            "millrace.gateway.publishes.rejected", "{message}", "Publishes that were not taken, by reason");
        _bytes = _meter.CreateCounter<long>("millrace.gateway.publishes.bytes", "By", "Bytes of the accepted records");
        _inFlight = _meter.CreateUpDownCounter<long>(
            "millrace.gateway.publishes.inflight", "{message}", "Taken and not durable yet");
        _ackLatency = _meter.CreateHistogram<double>(
            "millrace.gateway.ack.latency", "s", "From a connection's first publish in a batch to its durability");
        _pauses = _meter.CreateCounter<long>(
            "millrace.gateway.pauses", "{pause}", "Times that a socket was not read for a while, by reason");
        _lifecycle = _meter.CreateCounter<long>("millrace.gateway.lifecycle.events", "{event}", "Written to the log");
        _lifecycleLost = _meter.CreateCounter<long>(
            "millrace.gateway.lifecycle.lost", "{event}", "Not written, because the log failed until the end");
        _lifecycleWaits = _meter.CreateCounter<long>(
            "millrace.gateway.lifecycle.waits", "{event}", "Events that had to wait for room in the queue");
        _rechecksFailed = _meter.CreateCounter<long>(
            "millrace.gateway.rechecks.failed", "{lookup}", "Credentials that could not be looked up again");
        _subscriptionsRefused = _meter.CreateCounter<long>(
            "millrace.gateway.subscriptions.refused", "{filter}", "Topic filters beyond a limit, by reason");
    }

    public void ConnectionOpened() => _connections.Add(1);

    public void ConnectionClosed(string reason)
    {
        _connections.Add(-1);
        _closed.Add(1, Reason(reason));
    }

    public void Refused(string reason) => _refusals.Add(1, Reason(reason));

    public void Malformed(string defect) => _malformed.Add(1, Reason(defect));

    public void Received(int count)
    {
        _received.Add(count);
        _inFlight.Add(count);
    }

    public void Accepted(int count, long bytes)
    {
        _accepted.Add(count);
        _bytes.Add(bytes);
        _inFlight.Add(-count);
    }

    /// <summary>Publishes that had been taken, and are not in the log.</summary>
    public void Failed(int count)
    {
        _rejected.Add(count, Reason("log-failed"));
        _inFlight.Add(-count);
    }

    /// <summary>A publish that was not taken.</summary>
    public void Rejected(string reason)
    {
        _received.Add(1);
        _rejected.Add(1, Reason(reason));
    }

    public void AckLatency(TimeSpan elapsed) => _ackLatency.Record(elapsed.TotalSeconds);

    public void Paused(string reason) => _pauses.Add(1, Reason(reason));

    public void LifecycleWritten(int count) => _lifecycle.Add(count);

    public void LifecycleLost(int count) => _lifecycleLost.Add(count, Reason("log-failed"));

    public void LifecycleWaited() => _lifecycleWaits.Add(1);

    public void RecheckFailed() => _rechecksFailed.Add(1, Reason("store-failed"));

    public void SubscriptionRefused(string reason) => _subscriptionsRefused.Add(1, Reason(reason));

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Reason(string word) => new("reason", word);
}
