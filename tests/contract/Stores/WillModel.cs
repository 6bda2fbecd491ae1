using Millrace.Stores.Sessions;

namespace Millrace.Contract.Tests.Stores;

/// <summary>What a session store must do with wills: each is handed out from its time on until it is removed.
/// </summary>
internal sealed class WillModel
{
    private readonly SortedDictionary<long, Entry> _wills = [];

    /// <summary>Whose wills are in the store, by connection.</summary>
    public IEnumerable<long> Epochs => _wills.Keys;

    public SessionKey KeyOf(long epoch) => _wills[epoch].Key;

    public List<DueWill> Begin(SessionKey key, long epoch, StoredWill? will, bool goesOn, DateTimeOffset now)
    {
        var before = _wills.Values.Where(e => e.Key == key && e.State != State.HandedOut).ToList();
        foreach (var one in before.Where(e => goesOn && e.IsBefore(now))) _wills.Remove(one.Epoch);
        var due = before.Where(e => _wills.ContainsKey(e.Epoch)).Select(e => e.HandOut(now)).ToList();
        if (will is not null) _wills[epoch] = new Entry(key, epoch, will);
        return due;
    }

    public DueWill? Close(SessionKey key, long epoch, SessionClosure closure, DateTimeOffset now)
    {
        var entry = _wills.GetValueOrDefault(epoch);
        if (entry is not { State: State.Connected } || entry.Key != key) return null;
        if (closure.DropsWill) _wills.Remove(epoch);
        else if (Math.Min(entry.Will.DelaySeconds, closure.ExpirySeconds) is var delay and > 0)
            entry.Wait(now.AddSeconds(delay));
        else return entry.HandOut(now);
        return null;
    }

    public List<DueWill> Due(DateTimeOffset now) =>
        [.. _wills.Values.Where(e => e.At <= now).ToList().Select(e => e.HandOut(now))];

    /// <param name="expiryOf">Of the session of a connection; 0 when none is kept.</param>
    public void Leave(DateTimeOffset now, Func<SessionKey, long, uint> expiryOf)
    {
        foreach (var entry in _wills.Values)
        {
            if (entry.State == State.HandedOut) entry.At = now;
            if (entry.State != State.Connected) continue;
            entry.Wait(now.AddSeconds(Math.Min(entry.Will.DelaySeconds, expiryOf(entry.Key, entry.Epoch))));
        }
    }

    public void Remove(IEnumerable<long> epochs)
    {
        foreach (var epoch in epochs) _wills.Remove(epoch);
    }

    public void DropWaiting(string deviceId) => Remove([.. _wills.Values
        .Where(e => e.Key.DeviceId == deviceId && e.State == State.Waiting).Select(e => e.Epoch)]);

    private enum State
    {
        Connected,
        Waiting,
        HandedOut,
    }

    private sealed class Entry(SessionKey key, long epoch, StoredWill will)
    {
        public SessionKey Key => key;

        public long Epoch => epoch;

        public StoredWill Will => will;

        public State State { get; private set; }

        /// <summary>When it is handed out; null while its connection is there.</summary>
        public DateTimeOffset? At { get; set; }

        /// <summary>Whether its time has not come: its session may go on without it.</summary>
        public bool IsBefore(DateTimeOffset now) => At is { } at ? at > now : will.DelaySeconds > 0;

        public void Wait(DateTimeOffset until) => (State, At) = (State.Waiting, until);

        public DueWill HandOut(DateTimeOffset now)
        {
            (State, At) = (State.HandedOut, now + DueWill.HandedOutFor);
            return new DueWill(key, epoch, will);
        }
    }
}
