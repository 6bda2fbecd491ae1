using System.Diagnostics.Metrics;

namespace Millrace.Gateway.Bridge;

/// <summary>
/// What bridges count, each under its name. Received = accepted + dead-lettered + what the log refused + in flight.
/// </summary>
internal sealed class BridgeMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _received;
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _deadLettered;
    private readonly Counter<long> _duplicates;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _unsendable;
    private readonly Counter<long> _fenced;
    private readonly Counter<long> _expired;
    private readonly Counter<long> _replays;
    private readonly Counter<long> _failures;
    private readonly UpDownCounter<long> _connected;

    public BridgeMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(GatewayMetrics.MeterName);
        _received = _meter.CreateCounter<long>(
            "millrace.gateway.bridge.received", "{message}", "Messages from the broker");
        _accepted = _meter.CreateCounter<long>(
            "millrace.gateway.bridge.accepted", "{message}", "Messages that are durable as telemetry");
        _deadLettered = _meter.CreateCounter<long>(
            "millrace.gateway.bridge.deadlettered", "{message}", "Messages that could not be mapped, by reason");
        _duplicates = _meter.CreateCounter<long>("millrace.gateway.bridge.duplicates",
            "{message}", "Messages with QoS 2 that came again and were not written again");
        _sent = _meter.CreateCounter<long>(
            "millrace.gateway.bridge.sent", "{record}", "Records that the broker has acknowledged");
        _unsendable = _meter.CreateCounter<long>(
            "millrace.gateway.bridge.unsendable", "{record}", "Records that went to dead letters, by reason");
        _fenced = _meter.CreateCounter<long>(
            "millrace.gateway.bridge.fenced", "{record}", "Fences, and rows that a stale owner wrote: not sent");
        _expired = _meter.CreateCounter<long>("millrace.gateway.bridge.expired",
            "{record}", "Messages for devices whose time was over: not sent");
        _replays = _meter.CreateCounter<long>("millrace.gateway.bridge.replays",
            "{letter}", "Dead letters that were tried again, by outcome");
        _failures = _meter.CreateCounter<long>(
            "millrace.gateway.bridge.failures", "{failure}", "Times that a bridge failed, by the error's code");
        _connected = _meter.CreateUpDownCounter<long>(
            "millrace.gateway.bridge.connected", "{connection}", "1 while the bridge has its connection");
    }

    public void Received(string bridge) => _received.Add(1, Bridge(bridge));

    public void Accepted(string bridge, long count) => _accepted.Add(count, Bridge(bridge));

    public void DeadLettered(string bridge, string reason) => _deadLettered.Add(1, Bridge(bridge), Reason(reason));

    public void Duplicate(string bridge) => _duplicates.Add(1, Bridge(bridge));

    public void Sent(string bridge) => _sent.Add(1, Bridge(bridge));

    public void Unsendable(string bridge, string reason) => _unsendable.Add(1, Bridge(bridge), Reason(reason));

    public void Fenced(string bridge) => _fenced.Add(1, Bridge(bridge));

    public void Expired(string bridge) => _expired.Add(1, Bridge(bridge));

    public void Replayed(string bridge, string outcome) => _replays.Add(1, Bridge(bridge), Reason(outcome));

    public void Failed(string bridge, string code) => _failures.Add(1, Bridge(bridge), Reason(code));

    public void Connected(string bridge, int change) => _connected.Add(change, Bridge(bridge));

    /// <summary>What only a look can tell; and that it has no connection yet, or nobody would see that it never has.
    /// </summary>
    public void Watch(string bridge, Func<long> inFlight, Func<long> lag)
    {
        Connected(bridge, 0);
        _meter.CreateObservableGauge("millrace.gateway.bridge.inflight",
            () => new Measurement<long>(inFlight(), Bridge(bridge)), "{message}", "Messages and records that wait");
        _meter.CreateObservableGauge("millrace.gateway.bridge.lag",
            () => new Measurement<long>(lag(), Bridge(bridge)), "{record}", "Records that the broker does not have");
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Bridge(string name) => new("bridge", name);

    private static KeyValuePair<string, object?> Reason(string word) => new("reason", word);
}
