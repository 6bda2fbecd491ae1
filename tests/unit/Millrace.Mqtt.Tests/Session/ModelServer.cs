using System.Buffers;
using System.Text;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Session;

namespace Millrace.Mqtt.Tests.Session;

/// <summary>
/// The shell of a server around the session, as small as it can be: a log that becomes durable when the test says so,
/// and a store of what outlives a connection.
/// </summary>
internal sealed class ModelServer(SessionLimits limits, Random random)
{
    private readonly List<(string Body, long Exchange, ushort PacketId)> _log = [];
    private readonly List<Queued> _queue = [];
    private readonly Queue<(int Qos, string Body, ushort PacketId, long Exchange, long Number)> _appending = new();
    private long _lastExchange;
    private List<(ushort PacketId, long Exchange)> _openExchanges = [];
    private int _scanFrom;
    private long _lastSequence;
    private long _sentSequence;
    private MqttSession _session = null!;
    private OutboundWindow _window = null!;
    private long _sentUpTo;

    public List<string> Log => [.. _log.Select(each => each.Body)];

    public bool IsDone => _queue.Count == 0 && _appending.Count == 0;

    public bool HasConnection { get; private set; }

    public void Send(int qos, string body) => _queue.Add(new Queued(++_lastSequence, qos, body));

    /// <summary>The connection ends as a server ends it: what is on its way arrives, and the rest is saved.</summary>
    public void Close()
    {
        if (!HasConnection) return;
        HasConnection = false;
        while (_appending.Count > 0) AppendOne();
        (_lastExchange, _openExchanges) = Snapshot();
        _sentSequence = _window.LastSent;
        _scanFrom = _log.Count;
    }

    /// <summary>A crash: of what was on its way, some has reached the disk; the log tells what is open.</summary>
    public void Crash()
    {
        if (!HasConnection) return;
        HasConnection = false;
        for (var n = random.Next(_appending.Count + 1); n > 0; n--) AppendOne();
        _appending.Clear();
        for (; _scanFrom < _log.Count; _scanFrom++)
        {
            var (_, exchange, packetId) = _log[_scanFrom];
            if (exchange > _lastExchange) _openExchanges.Add((packetId, exchange));
        }

        if (_openExchanges.Count > 0) _lastExchange = Math.Max(_lastExchange, _openExchanges.Max(e => e.Exchange));
        _sentSequence = _lastSequence;
    }

    public void Take(PacketHeader header, ReadOnlySpan<byte> body, IBufferWriter<byte> wire)
    {
        if (!HasConnection) Begin();
        _session.Feed(header, body, out var step);
        switch (step.Kind)
        {
            case SessionStepKind.Authenticate: Accept(wire); break;
            case SessionStepKind.Publish: TakePublish(step.Publish); break;
            case SessionStepKind.Repeat:
                if (_session.Repeat(step.PacketId)) _session.WriteAcks(wire);
                break;
            case SessionStepKind.Release:
                Assert.That(step.Reason, Is.EqualTo(ReasonCode.Success).Or
                    .EqualTo(ReasonCode.PacketIdentifierNotFound));
                Save();
                _session.Complete(wire, step.PacketId, step.Reason);
                break;
            case SessionStepKind.Delivered: TakeAcknowledgement(step, wire); break;
            case SessionStepKind.Continue: break;
            default: Assert.Fail($"{step.Kind} {step.Defect}"); break;
        }

        if (_session.State == SessionState.Connected) Deliver(wire);
    }

    /// <summary>Some of what is on its way becomes durable.</summary>
    public void Append(IBufferWriter<byte> wire)
    {
        for (var n = random.Next(_appending.Count + 1); n > 0; n--) AppendOne();
        if (HasConnection && _session.State == SessionState.Connected) _session.WriteAcks(wire);
    }

    public void Deliver(IBufferWriter<byte> wire)
    {
        if (!HasConnection || _session.State != SessionState.Connected) return;
        foreach (var each in _queue.Where(each => each.Sequence > _sentUpTo && !each.IsReceived).ToList())
        {
            if (!_window.MaySend(each.Sequence)) return;
            _sentUpTo = each.Sequence;
            Assert.That(_session.Deliver(wire, new Delivery
            {
                Topic = "t",
                Qos = each.Qos,
                PacketId = _window.Send(each.Sequence, each.Qos),
                Duplicate = each.Sequence <= _sentSequence,
                Payload = Encoding.UTF8.GetBytes(each.Body),
            }));
        }
    }

    private void Begin()
    {
        HasConnection = true;
        _session = new MqttSession(limits);
        _sentUpTo = 0;
    }

    private void Accept(IBufferWriter<byte> wire)
    {
        _session.Exchanges = new ExchangeTable(_lastExchange, _openExchanges);
        _session.Accept(wire, new SessionGrants(IsPresent: true));
        _window = new OutboundWindow(_session.OutboundMax);
        foreach (var each in _queue.Where(each => each.IsReceived))
            _session.Release(wire, _window.Resume(each.Sequence), ReasonCode.Success);
    }

    private void TakePublish(PublishPacket publish)
    {
        var body = Encoding.UTF8.GetString(publish.Payload);
        var answer = publish.Qos == 2 ? PacketType.PubRec : PacketType.PubAck;
        var number = publish.Qos == 0 ? -1 : _session.Acks.Add(publish.PacketId, 0, answer);
        if (publish.Qos == 2) _session.Exchanges!.Begin(publish.PacketId, 0, number);
        var exchange = publish.Qos == 2 ? _session.Exchanges!.Last : 0;
        _appending.Enqueue((publish.Qos, body, publish.PacketId, exchange, number));
    }

    private void TakeAcknowledgement(in SessionStep step, IBufferWriter<byte> wire)
    {
        var outcome = _window.Acknowledge(step.Acknowledgement, step.PacketId, step.Reason, out var sequence);
        switch (outcome)
        {
            case AcknowledgeOutcome.Done: _queue.RemoveAll(each => each.Sequence == sequence); break;
            case AcknowledgeOutcome.Received:
                _queue.Single(each => each.Sequence == sequence).IsReceived = true;
                _session.Release(wire, step.PacketId, ReasonCode.Success);
                break;
            default: Assert.Fail($"{outcome} for {step.Acknowledgement} {step.PacketId}"); break;
        }
    }

    private void AppendOne()
    {
        var (qos, body, packetId, exchange, number) = _appending.Dequeue();
        _log.Add((body, exchange, packetId));
        if (qos > 0) _session.Acks.MarkDurable(0, number);
    }

    private void Save()
    {
        (_lastExchange, _openExchanges) = Snapshot();
        _scanFrom = _log.Count;
    }

    private (long, List<(ushort, long)>) Snapshot() => _session.Exchanges!.Snapshot(_session.AcksOrNull);

    private sealed class Queued(long sequence, int qos, string body)
    {
        public long Sequence { get; } = sequence;

        public int Qos { get; } = qos;

        public string Body { get; } = body;

        public bool IsReceived { get; set; }
    }
}
