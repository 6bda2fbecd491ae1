using Millrace.Gateway.Sessions;
using Millrace.Gateway.Topics;
using Millrace.Mqtt;
using Millrace.Mqtt.Packets;
using Millrace.Mqtt.Session;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Mqtt;

/// <summary>QoS 2 publishes: each is taken once, however often and over how many connections it comes.</summary>
internal sealed partial class MqttConnection
{
    private Next TakeExchange(in PublishPacket publish, in MessageTarget target, ref PublishRun run)
    {
        var session = Session();
        var exchanges = _session.Exchanges ??= new ExchangeTable();
        if (exchanges.Count >= runtime.Options.Sessions.ExchangesMax)
        {
            RefusePublish(publish, PublishRefusal.TooManyExchanges, ref run);
            return Next.Read;
        }

        session.ExchangedAtSeconds = runtime.NowSeconds;
        var partition = target.Source!.Partition;
        if (!session.IsScanned(partition))
        {
            run.Exit();
            session.PartitionToScan = partition;
            return Next.Scan;
        }

        var stamp = new ExchangeStamp(session.IdBytes, exchanges.Last + 1, publish.PacketId);
        return Append(publish, target, stamp, ref run);
    }

    private long BeginExchange(ushort packetId, int partition)
    {
        var number = _session.Acks.Add(packetId, partition, PacketType.PubRec);
        _session.Exchanges!.Begin(packetId, partition, number);
        return number;
    }

    /// <summary>
    /// Saves from where the log is to be read after a crash, before the first QoS 2 publish goes into the partition.
    /// </summary>
    private async ValueTask SaveScanAsync(DeviceSession session)
    {
        try
        {
            var offset = await runtime.Sessions.NextOffsetAsync(session.PartitionToScan).ConfigureAwait(false);
            lock (_output) session.ScanFrom(session.PartitionToScan, offset);
            await SaveInboundAsync(session).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            FailSession(failure);
        }
    }

    private bool RepeatReceipt(ushort packetId)
    {
        if (!_session.Repeat(packetId)) return true;
        runtime.Metrics.ExchangeRepeated();
        _hasAnswers = true;
        return true;
    }

    private bool NoteRelease(ushort packetId, ReasonCode reason)
    {
        Session().Releases.Add((packetId, reason));
        return true;
    }

    /// <summary>
    /// Answers the PUBRELs of one read. A stored session first saves that they are released: the packet identifiers may
    /// be used for other messages as soon as the client hears of it.
    /// </summary>
    private async ValueTask ReleaseAsync(DeviceSession session)
    {
        session.ExchangedAtSeconds = runtime.NowSeconds;
        try
        {
            var released = session.Releases.Exists(each => each.Reason == ReasonCode.Success);
            if (session.IsStored && released) await SaveInboundAsync(session).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            FailSession(failure);
        }

        await ReplyAsync(target =>
        {
            foreach (var (packetId, reason) in session.Releases) _session.Complete(target, packetId, reason);
        }).ConfigureAwait(false);
        session.Releases.Clear();
    }

    private bool IsScanIdle(int nowSeconds) =>
        _deviceSession is { HasScan: true } session
        && nowSeconds - session.ExchangedAtSeconds > runtime.Options.Sessions.ScanIdle.TotalSeconds;

    private async ValueTask ForgetScanAsync(DeviceSession session)
    {
        if (IsAnyExchangePending(session)) return;
        try
        {
            lock (_output) session.ForgetScan();
            await SaveInboundAsync(session).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            FailSession(failure);
        }
    }

    private async ValueTask SaveInboundAsync(DeviceSession session)
    {
        InboundExchanges inbound;
        lock (_output) inbound = session.Inbound(_session.Exchanges, _session.AcksOrNull, isClosing: false);
        Owns(await runtime.Sessions.Store.SaveInboundAsync(session.Key, session.Epoch, inbound).ConfigureAwait(false));
    }

    /// <summary>A session that another connection has opened since, here or elsewhere, is that one's.</summary>
    private void Owns(bool owns)
    {
        if (!owns) TryEnd(ConnectionEnd.TakenOver);
    }
}
