using System.Text;
using Millrace.Contracts;
using Millrace.Stores.Sessions;

namespace Millrace.Contract.Tests.Stores;

/// <summary>What a session store must do, said as plainly as can be.</summary>
internal sealed class SessionModel
{
    private readonly Dictionary<SessionKey, Entry> _sessions = [];
    private readonly WillModel _wills = new();

    public WillModel Wills => _wills;

    public IEnumerable<StoredSession> Sessions => _sessions.Values.Select(e => e.ToStored());

    public StoredSession? Find(SessionKey key) => _sessions.GetValueOrDefault(key)?.ToStored();

    /// <param name="sessionId">Taken over when a new session begins.</param>
    public OpenedSession Open(
        SessionKey key, bool cleanStart, uint expiry, DateTimeOffset now, StoredWill? will, string sessionId,
        long epoch)
    {
        var old = _sessions.GetValueOrDefault(key);
        var goesOn = old is not null && !cleanStart && (old.Stored.ExpiresAt is null || old.Stored.ExpiresAt > now);
        var (ended, wasConnected) = (goesOn ? null : old?.ToStored(), goesOn && old!.Stored.IsConnected);
        if (!goesOn)
        {
            _sessions[key] = new Entry(new StoredSession(
                key, sessionId, epoch, true, expiry, null, [], InboundExchanges.None, 0, 0));
        }
        else
        {
            old!.Stored = old.Stored with
            {
                Epoch = epoch,
                IsConnected = true,
                ExpirySeconds = expiry,
                ExpiresAt = null,
                SentSequence = wasConnected ? old.LastSequence : old.Stored.SentSequence,
            };
        }

        return new OpenedSession(
            Find(key)!, goesOn, wasConnected, ended, _wills.Begin(key, epoch, will, goesOn, now));
    }

    public BegunSession Begin(SessionKey key, DateTimeOffset now, StoredWill? will, long epoch)
    {
        _sessions.Remove(key, out var old);
        return new BegunSession(epoch, old?.ToStored(), _wills.Begin(key, epoch, will, goesOn: false, now));
    }

    public bool Change(SessionKey key, long epoch, Action<Entry> change)
    {
        if (!_sessions.TryGetValue(key, out var entry) || entry.Stored.Epoch != epoch) return false;
        change(entry);
        return true;
    }

    public EnqueueResult Enqueue(SessionMessage one, DateTimeOffset now)
    {
        var entry = _sessions.GetValueOrDefault(one.Key);
        if (entry is null || entry.Stored.ExpiresAt <= now) return new(EnqueueOutcome.NoSession, 0);
        var source = one.Message.Source;
        if (source is { } s && entry.Sources.GetValueOrDefault(s.Partition, -1) >= s.Offset)
            return new(EnqueueOutcome.Known, 0);
        if (!HasRoom() && !entry.Stored.IsConnected)
            entry.Queue.RemoveAll(m => m.Sequence > entry.Stored.SentSequence && m.Message.ExpiresAt <= now);
        if (!HasRoom()) return new(EnqueueOutcome.Full, 0);
        if (source is { } taken) entry.Sources[taken.Partition] = taken.Offset;
        if (one.Message.Share is not null) entry.Stored = entry.Stored with { HadShared = true };
        entry.Queue.Add(new QueuedMessage(++entry.LastSequence, one.Message with { Source = null }, false));
        return new(EnqueueOutcome.Queued, entry.LastSequence);

        bool HasRoom() => entry.Queue.Count < one.Limits.MessagesMax
            && entry.Queue.Sum(m => Size(m.Message)) + Size(one.Message) <= one.Limits.BytesMax;
    }

    public IEnumerable<QueuedMessage> Queue(SessionKey key, long after, int max, long bytesMax)
    {
        var bytes = 0L;
        var queue = _sessions.GetValueOrDefault(key)?.Queue ?? [];
        foreach (var message in queue.Where(m => m.Sequence > after).Take(max))
        {
            yield return message;
            bytes += Size(message.Message);
            if (bytes >= bytesMax) yield break;
        }
    }

    public long BytesOf(SessionKey key) =>
        _sessions.GetValueOrDefault(key)?.Queue.Sum(m => (long)Size(m.Message)) ?? 0;

    public StoredSession? End(SessionKey key, long epoch, DateTimeOffset now, long newer)
    {
        if (!Change(key, epoch, entry => entry.Hold(now))) return null;
        _sessions[key].Stored = _sessions[key].Stored with { Epoch = newer };
        return Find(key);
    }

    public bool Forget(SessionKey key, long epoch) => Change(key, epoch, _ => { }) && _sessions.Remove(key);

    public List<StoredSession> DeleteOfDevice(string deviceId, DateTimeOffset now)
    {
        var ended = Sessions.Where(s => s.Key.DeviceId == deviceId && !(_sessions[s.Key].HeldUntil > now))
            .OrderBy(s => s.Key.ClientId).ToList();
        ended.ForEach(s => RemoveOrHold(s, now));
        _wills.DropWaiting(deviceId);
        return ended;
    }

    public (List<StoredSession> Ended, List<DueWill> Wills) Sweep(DateTimeOffset now)
    {
        var ended = Sessions.Where(s => s.ExpiresAt <= now && !(_sessions[s.Key].HeldUntil > now)).ToList();
        ended.ForEach(s => RemoveOrHold(s, now));
        return (ended, _wills.Due(now));
    }

    private void RemoveOrHold(StoredSession ended, DateTimeOffset now)
    {
        if (ended.HadShared && ended.Queued > 0) _sessions[ended.Key].Hold(now);
        else _sessions.Remove(ended.Key);
    }

    private static int Size(OutboundMessage message) =>
        Encoding.UTF8.GetByteCount(message.Topic) + message.Properties.Length + message.Payload.Length;

    public sealed class Entry(StoredSession stored)
    {
        public StoredSession Stored { get; set; } = stored;

        public Dictionary<string, SessionSubscription> Subscriptions { get; } = [];

        public Dictionary<TopicPartition, long> Sources { get; } = [];

        public List<QueuedMessage> Queue { get; } = [];

        public long LastSequence { get; set; }

        public DateTimeOffset? HeldUntil { get; private set; }

        public void Hold(DateTimeOffset now)
        {
            HeldUntil = now.AddSeconds(30);
            Stored = Stored with
            {
                SentSequence = Stored.IsConnected ? LastSequence : Stored.SentSequence,
                IsConnected = false,
                ExpirySeconds = 0,
                ExpiresAt = DateTimeOffset.UnixEpoch,
            };
        }

        public StoredSession ToStored() => Stored with
        {
            Queued = Queue.Count,
            Subscriptions = [.. Subscriptions.Values.OrderBy(s => s.Filter, StringComparer.Ordinal)],
        };
    }
}
