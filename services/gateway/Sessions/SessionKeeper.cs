using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt.Session;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>Opens sessions for connections: from the store, completed from the log after a crash.</summary>
internal sealed class SessionKeeper(
    ISessionStore store, IEventLog log, WillPublisher wills, SpaceMembers members, SessionTakeOver takeOver,
    EndedSessions endedSessions, IOptions<GatewayOptions> options, GatewayMetrics metrics,
    TimeProvider time)
{
    private const int QueuePage = 100;

    /// <summary>So often may somebody else take a session that is to end; then it ends with what is left.</summary>
    private const int EndTriesMax = 10;

    public ISessionStore Store => store;

    public SessionOptions Options => options.Value.Sessions;

    /// <summary>
    /// The session that this connection goes on with or begins. Of one that is only as long as its connection, which
    /// leaves nothing of an earlier one, no more than a will is stored.
    /// </summary>
    /// <param name="isNewName">The client id was made up just now.</param>
    /// <returns>Null when the device has as many sessions as it may, and a connection in each.</returns>
    public async ValueTask<OpenedDeviceSession?> OpenAsync(
        SessionKey key, bool cleanStart, uint expirySeconds, StoredWill? will, bool isNewName)
    {
        var known = isNewName ? null : await store.FindAsync(key).ConfigureAwait(false);
        if (known is { IsConnected: true }) await takeOver.WaitAsync(known).ConfigureAwait(false);
        var now = time.GetUtcNow();
        if (known is not null) await PassOnSharedAsync(known, cleanStart, now).ConfigureAwait(false);
        var isKept = expirySeconds > 0;
        if (!isKept)
        {
            if (known is null && will is null) return OpenedDeviceSession.InMemory;
            isKept = known is not null && !cleanStart;
        }

        if (!isKept)
        {
            var begun = await store.BeginAsync(key, now, will).ConfigureAwait(false);
            await EndAsync(begun.Ended, begun.Wills).ConfigureAwait(false);
            return OpenedDeviceSession.InMemory with { Epoch = begun.Epoch };
        }

        if (known is null && !await MakeRoomAsync(key.DeviceId).ConfigureAwait(false)) return null;
        var opened = await store
            .OpenAsync(key, cleanStart, expirySeconds, now, will).ConfigureAwait(false);
        await EndAsync(opened.Ended, opened.Wills).ConfigureAwait(false);
        metrics.SessionOpened(opened.IsPresent ? "resumed" : "new");
        return new OpenedDeviceSession(opened.Session.Epoch, opened);
    }

    /// <summary>QoS 2 publishes that are open in a session: those that it has, and those of the log.</summary>
    public async ValueTask<ExchangeTable> ExchangesOfAsync(StoredSession opened)
    {
        var open = opened.Inbound.Open.Select(each => (each.PacketId, each.Exchange)).ToList();
        if (opened.Inbound.ScanFrom.Count > 0) open.AddRange(await FindInLogAsync(opened).ConfigureAwait(false));
        return new ExchangeTable(opened.Inbound.LastExchange, open);
    }

    /// <summary>Where the partition goes on: no record that is appended from now on lies before it.</summary>
    public async ValueTask<long> NextOffsetAsync(int partition) =>
        (await log.RangeAsync(new TopicPartition(Contracts.Topics.Telemetry, partition)).ConfigureAwait(false)).Next;

    /// <summary>Ends sessions without a connection, so that there may be a new one. False: all have one.</summary>
    private async ValueTask<bool> MakeRoomAsync(string deviceId)
    {
        var sessions = await store.OfDeviceAsync(deviceId).ConfigureAwait(false);
        var over = sessions.Count - Options.SessionsMax + 1;
        if (over <= 0) return true;
        var away = sessions.Where(each => !each.IsConnected).OrderBy(each => each.Epoch).Take(over).ToList();
        if (away.Count < over) return false;
        foreach (var session in away)
        {
            await PassOnSharedAsync(session, endsAnyway: true, time.GetUtcNow()).ConfigureAwait(false);

            // One that begins anew and ends at once leaves nothing of what was there.
            var ended = await store.BeginAsync(session.Key, time.GetUtcNow()).ConfigureAwait(false);
            await EndAsync(ended.Ended, ended.Wills).ConfigureAwait(false);
            metrics.SessionsEnded("sessions-max", 1);
        }

        return true;
    }

    /// <summary>
    /// Of a session that has expired, or is to end, what it may leave to others goes to them first, and with it the
    /// session.
    /// </summary>
    private async ValueTask PassOnSharedAsync(StoredSession session, bool endsAnyway, DateTimeOffset now)
    {
        if (!Ends(session)) return;
        for (var tries = 0; tries < EndTriesMax; tries++)
        {
            // It may have been emptied, or begun anew, elsewhere.
            var found = await store.FindAsync(session.Key).ConfigureAwait(false);
            if (found is not { MayLeaveShared: true } || !Ends(found)) return;
            await endedSessions.EmptyAsync(found, ReasonOf(found)).ConfigureAwait(false);
        }

        bool Ends(StoredSession one) => endsAnyway || one.ExpiresAt <= now;
    }

    private string ReasonOf(StoredSession ended) =>
        ended.ExpiresAt <= time.GetUtcNow() ? "session-expired" : "session-ended";

    /// <summary>
    /// A connection has taken another's place, or that of a session, whose will is due; what waited in it is lost.
    /// </summary>
    private async ValueTask EndAsync(StoredSession? ended, IReadOnlyList<DueWill> due)
    {
        if (ended is not null)
        {
            members.End(ended.Key, ended.SessionId);
            metrics.DeliveryLost(ReasonOf(ended), ended.Queued);
        }

        if (due.Count > 0) await wills.PublishAsync(due).ConfigureAwait(false);
    }

    /// <summary>Closes a session whose connection ended with the gateway, so that it can expire.</summary>
    public async ValueTask CloseLeftAsync(StoredSession left)
    {
        var found = await FindInLogAsync(left).ConfigureAwait(false);
        var last = found.Select(each => each.Exchange).Append(left.Inbound.LastExchange).Max();
        var open = left.Inbound.Open.Concat(found.Select(each => new OpenExchange(each.PacketId, each.Exchange)));

        // What it had sent is not known: any of what waits may have been.
        var sent = left.Queued > 0 ? await LastQueuedAsync(left.Key).ConfigureAwait(false) : left.SentSequence;
        await store.CloseAsync(left.Key, left.Epoch, new SessionClosure(
            new InboundExchanges(last, [.. open], []), sent, left.ExpirySeconds), time.GetUtcNow())
            .ConfigureAwait(false);
    }

    private async ValueTask<long> LastQueuedAsync(SessionKey key)
    {
        for (var last = 0L; ;)
        {
            var page = await store.QueueAsync(key, last, QueuePage, long.MaxValue).ConfigureAwait(false);
            if (page.Count == 0) return last;
            last = page[^1].Sequence;
        }
    }

    /// <summary>What the connection before had appended, and had no time to save.</summary>
    private async ValueTask<List<(ushort PacketId, long Exchange)>> FindInLogAsync(StoredSession session)
    {
        var known = session.Inbound.Open.Select(each => each.Exchange).ToHashSet();
        var found = new List<(ushort, long)>();
        foreach (var (partition, offset) in session.Inbound.ScanFrom)
        {
            var range = await log.SettledRangeAsync(partition).ConfigureAwait(false);
            await using var reader = log.OpenReader(partition, Math.Max(offset, range.First));
            while (reader.Position < range.Next && await reader.TryReadAsync().ConfigureAwait(false) is { } batch)
            {
                foreach (var (packetId, exchange) in ExchangeHeader.In(batch, session.SessionId))
                {
                    if (exchange > session.Inbound.LastExchange && known.Add(exchange)) found.Add((packetId, exchange));
                }
            }
        }

        metrics.ExchangesFound(found.Count);
        return found;
    }
}

/// <summary>What a connection owns now.</summary>
/// <param name="Epoch">Of the session, or of the will alone; 0 when nothing is stored.</param>
/// <param name="Opened">Null when the session is in memory.</param>
internal sealed record OpenedDeviceSession(long Epoch, OpenedSession? Opened)
{
    public static readonly OpenedDeviceSession InMemory = new(0, null);

    public bool IsPresent => Opened is { IsPresent: true };

    /// <summary>The stored session; what is open in it is not known yet.</summary>
    public DeviceSession ToSession()
    {
        var stored = Opened!.Session;
        var session = new DeviceSession(stored.Key, stored.SessionId, stored.Epoch)
        {
            SentBefore = stored.SentSequence,
            ExpirySeconds = stored.ExpirySeconds,
            HasQueued = stored.Queued > 0,
            LeavesInbound = true,
        };
        session.Restore(stored.Subscriptions);
        return session;
    }
}
