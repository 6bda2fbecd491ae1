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
    private readonly Counter<long> _certificates;
    private readonly Counter<long> _sessionsOpened;
    private readonly Counter<long> _sessionsEnded;
    private readonly Counter<long> _sessionsTakenOver;
    private readonly Counter<long> _sessionsLeftOpen;
    private readonly Counter<long> _exchangesRepeated;
    private readonly Counter<long> _exchangesFound;
    private readonly Counter<long> _subscriptionsRefused;
    private readonly Counter<long> _deliveries;
    private readonly Counter<long> _deliveriesLost;
    private readonly Counter<long> _subscriptionsRevoked;
    private readonly Counter<long> _retained;
    private readonly Counter<long> _tlsUnsentExceeded;

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
        _certificates = _meter.CreateCounter<long>(
            "millrace.gateway.certificates.read", "{certificate}", "Renewed certificates: used, or unusable");
        _sessionsOpened = _meter.CreateCounter<long>(
            "millrace.gateway.sessions.opened", "{session}", "Sessions that are kept, new or resumed");
        _sessionsTakenOver = _meter.CreateCounter<long>("millrace.gateway.sessions.taken.over", "{session}",
            "Sessions that another gateway had; unanswered: it did not let go in time");
        _sessionsLeftOpen = _meter.CreateCounter<long>("millrace.gateway.sessions.left.open", "{session}",
            "Sessions whose connection has ended and that stay open until the gateway starts again: ends-full");
        _sessionsEnded = _meter.CreateCounter<long>(
            "millrace.gateway.sessions.ended", "{session}", "Kept sessions that ended without a connection, by reason");
        _exchangesRepeated = _meter.CreateCounter<long>(
            "millrace.gateway.exchanges.repeated", "{message}", "QoS 2 publishes that came again and were not taken");
        _exchangesFound = _meter.CreateCounter<long>(
            "millrace.gateway.exchanges.found", "{message}", "QoS 2 publishes found in the log after a crash");
        _subscriptionsRefused = _meter.CreateCounter<long>(
            "millrace.gateway.subscriptions.refused", "{subscription}", "Subscriptions beyond a limit, by reason");
        _deliveries = _meter.CreateCounter<long>(
            "millrace.gateway.deliveries", "{message}",
            "Messages to devices: queued, passed on, sent, sent again, done");
        _subscriptionsRevoked = _meter.CreateCounter<long>("millrace.gateway.subscriptions.revoked", "{subscription}",
            "Subscriptions in topic spaces that ended because the device may not have them any more");
        _retained = _meter.CreateCounter<long>(
            "millrace.gateway.retained", "{message}", "Publishes to be retained: retained, cleared, full");
        _tlsUnsentExceeded = _meter.CreateCounter<long>("millrace.gateway.tls.unsent.exceeded", "{connection}",
            "Connections closed because they did not take what TLS had to say to them");
        _deliveriesLost = _meter.CreateCounter<long>(
            "millrace.gateway.deliveries.lost", "{message}", "Messages to devices that did not arrive, by reason");
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

    /// <summary>Publishes that had been taken, and are not in the log, or not in all queues.</summary>
    public void Failed(int count, string reason = "log-failed")
    {
        _rejected.Add(count, Reason(reason));
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

    /// <param name="outcome">used or unusable.</param>
    public void CertificateRead(string outcome) => _certificates.Add(1, Reason(outcome));

    /// <summary>Tells of a listener how long the certificate that it shows is still valid.</summary>
    public void Waiting(Func<long> bytes) => _meter.CreateObservableUpDownCounter(
        "millrace.gateway.deliveries.waiting", bytes, "By", "Bytes of messages to devices that wait in memory");

    public void CertificateShown(string listener, Func<double> secondsLeft) => _meter.CreateObservableGauge(
        "millrace.gateway.certificate.left",
        () => new Measurement<double>(secondsLeft(), new KeyValuePair<string, object?>("listener", listener)), "s",
        "Until the certificate ends");

    /// <param name="how">new or resumed.</param>
    public void SessionOpened(string how) => _sessionsOpened.Add(1, Reason(how));

    public void TakenOver(string how) => _sessionsTakenOver.Add(1, Reason(how));

    /// <summary>There was no room for the end of its connection, which the store did not take.</summary>
    public void SessionLeftOpen() => _sessionsLeftOpen.Add(1, Reason("ends-full"));

    public void SessionsEnded(string reason, int count) => _sessionsEnded.Add(count, Reason(reason));

    public void ExchangeRepeated() => _exchangesRepeated.Add(1);

    public void ExchangesFound(int count) => _exchangesFound.Add(count);

    public void SubscriptionRefused(string reason, int count = 1) => _subscriptionsRefused.Add(count, Reason(reason));

    public void SubscriptionRevoked() => _subscriptionsRevoked.Add(1, Reason("access-changed"));

    public void Retained(string what) => _retained.Add(1, Reason(what));

    /// <param name="what">queued, passed-on, sent, sent-again or done.</param>
    public void Delivery(string what, int count = 1) => _deliveries.Add(count, Reason(what));

    public void DeliveryLost(string reason, int count = 1) => _deliveriesLost.Add(count, Reason(reason));

    public void TlsUnsentExceeded() => _tlsUnsentExceeded.Add(1);

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Reason(string word) => new("reason", word);
}
