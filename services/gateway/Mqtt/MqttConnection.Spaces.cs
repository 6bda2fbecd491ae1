using Millrace.Gateway.Sessions;
using Millrace.Gateway.Topics;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Session;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Mqtt;

/// <summary>
/// Publishes to topic spaces. Those that follow one another in a read are copied out and brought there together, before
/// anything else is taken: so acknowledgements stay in order, and a space that is slow is not read from.
/// </summary>
internal sealed partial class MqttConnection
{
    private readonly List<SpacePublish> _toSpaces = [];
    private TopicAccess? _access;
    private int _toAcknowledge;

    private TopicDecision DecideSpace(ReadOnlySpan<byte> topic, out TopicSpace? space)
    {
        space = null;
        return _access?.Publish(topic, out space) ?? TopicDecision.NoSpace;
    }

    private Next TakeForSpace(in PublishPacket publish, TopicSpace space, ref PublishRun run)
    {
        var refusal = CheckForSpace(publish, space);
        var hasRoom = publish.Qos == 0 || _session.InFlight + _toAcknowledge < _session.Limits.InFlightMax;
        if (_toSpaces.Count > 0 && (refusal != PublishRefusal.None || !hasRoom || IsTaken(publish)))
            return Next.Spaces;
        if (refusal != PublishRefusal.None)
        {
            RefusePublish(publish, refusal, ref run);
            return Next.Read;
        }

        if (!TryCount(publish, runtime.Time.GetUtcNow().ToUnixTimeMilliseconds()))
        {
            if (_toSpaces.Count > 0) return Next.Spaces;
            RefusePublish(publish, PublishRefusal.DayQuotaReached, ref run);
            return Next.Read;
        }

        Session();
        _toSpaces.Add(SpacePublish.Of(space, publish, runtime.Time.GetUtcNow()));
        if (publish.Qos > 0) _toAcknowledge++;
        return Next.Read;
    }

    private PublishRefusal CheckForSpace(in PublishPacket publish, TopicSpace space)
    {
        var limit = _meter!.Limits.Check(publish.Topic);
        if (limit != PublishRefusal.None) return limit;
        if (publish.Retain && !space.MayRetain) return PublishRefusal.RetainDenied;
        if (publish.Qos == 2 && _session.Exchanges is { } exchanges
            && exchanges.Count + _toAcknowledge >= runtime.Options.Sessions.ExchangesMax)
            return PublishRefusal.TooManyExchanges;
        return SpacePublish.Fits(publish.Properties, runtime.Options.PropertiesMax)
            ? PublishRefusal.None
            : PublishRefusal.TooManyProperties;
    }

    /// <summary>A QoS 2 publish that came twice in one read.</summary>
    private bool IsTaken(in PublishPacket publish)
    {
        if (publish.Qos != 2) return false;
        foreach (var each in _toSpaces)
            if (each.Qos == 2 && each.PacketId == publish.PacketId) return true;
        return false;
    }

    private async ValueTask PublishToSpacesAsync(DeviceSession session)
    {
        var once = OnceOf(session);
        try
        {
            var (outcome, refusals) = await runtime.Spaces.PublishAsync(
                session.Key, Topics.Own, _toSpaces, once).ConfigureAwait(false);
            if (outcome == SpaceOutcome.Done) AcknowledgeToSpaces(refusals);
            else TryEnd(EndBy(outcome));
        }
        catch (Exception failure)
        {
            // Some of the copies may be queued, and their publishes saved with them.
            if (once is not null) session.LeavesInbound = true;
            FailSession(failure);
        }

        _toSpaces.Clear();
        _toAcknowledge = 0;
    }

    /// <summary>
    /// What a stored session saves of its QoS 2 publishes while their messages are queued: a client that sends them
    /// again after a crash finds either both or none.
    /// </summary>
    private PublishOnce? OnceOf(DeviceSession session)
    {
        if (!session.IsStored || !_toSpaces.Exists(each => each.Qos == 2)) return null;
        InboundExchanges inbound;
        lock (_output) inbound = session.Inbound(_session.Exchanges, _session.AcksOrNull, isClosing: false);
        return new PublishOnce(session.Key, session.Epoch, inbound, _session.Exchanges?.Last ?? 0);
    }

    private void AcknowledgeToSpaces(PublishRefusal[] refusals)
    {
        for (var i = 0; i < refusals.Length; i++)
        {
            var (packetId, qos) = (_toSpaces[i].PacketId, _toSpaces[i].Qos);
            if (refusals[i] != PublishRefusal.None) RefusePublish(packetId, qos, refusals[i]);
            else if (qos > 0)
            {
                if (qos == 2) (_session.Exchanges ??= new ExchangeTable()).BeginDurable(packetId);
                _session.Acks.AddAnswered(packetId, ReasonCode.Success, AnswerTo(qos));
                _hasAnswers = true;
            }
        }

        SendAnswers();
    }

    private static ConnectionEnd EndBy(SpaceOutcome outcome) => outcome switch
    {
        SpaceOutcome.NotOwner => ConnectionEnd.TakenOver,
        SpaceOutcome.LogFull => ConnectionEnd.LogFull,
        _ => ConnectionEnd.LogFailed,
    };
}
