using System.Runtime.CompilerServices;
using System.Text;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>
/// Whose a session is, what it subscribes to, and how it ends. What happens to one device happens in one step; what
/// concerns several is a step for each.
/// </summary>
internal sealed partial class CassandraSessionStore : ISessionStore
{
    private const string List = "sessions";
    private const int DevicesOfRead = 32;

    private readonly string _node;
    private readonly SessionRows _rows;
    private readonly SessionIndexes _indexes;
    private readonly SessionChanges _changes;
    private readonly SessionMessages _messages;
    private readonly SessionNodes _nodes;
    private readonly Outboxes _outboxes;
    private readonly OpenOutboxes _openOutboxes = new();
    private readonly EpochSource _epochs;

    /// <param name="node">Whose connections open sessions here.</param>
    public CassandraSessionStore(CassandraDatabase database, string node)
    {
        _node = node;
        _rows = new SessionRows(database);
        _indexes = new SessionIndexes(database);
        _changes = new SessionChanges(_rows, _indexes);
        _messages = new SessionMessages(database);
        _nodes = new SessionNodes(database);
        _outboxes = new Outboxes(database);
        _epochs = new EpochSource(database);
    }

    public ValueTask<OpenedSession> OpenAsync(
        SessionKey key, bool cleanStart, uint expirySeconds, DateTimeOffset now, StoredWill? will,
        CancellationToken ct) =>
        TakeOverAsync(key, (sessions, epoch) =>
        {
            var client = key.ClientId;
            var old = sessions.Heads.GetValueOrDefault(client);
            var goesOn = old is not null && !cleanStart && !old.HasExpired(now);
            var ended = goesOn ? null : sessions.Remove(client);
            sessions.Heads[client] = goesOn
                ? old! with
                {
                    Epoch = epoch,
                    Node = _node,
                    IsConnected = true,
                    ExpirySeconds = expirySeconds,
                    ExpiresAt = null,
                    SentSequence = old.IsConnected ? old.LastSequence : old.SentSequence,
                }
                : new SessionHead
                {
                    SessionId = Guid.CreateVersion7(now).ToString("N"),
                    Epoch = epoch,
                    Node = _node,
                    ExpirySeconds = expirySeconds,
                };
            var wills = SessionWills.Begin(sessions, client, Row(client, epoch, will), goesOn, now);
            return new OpenedSession(sessions.Find(client)!, goesOn, goesOn && old!.IsConnected, ended, wills);
        }, ct);

    public ValueTask<BegunSession> BeginAsync(
        SessionKey key, DateTimeOffset now, StoredWill? will, CancellationToken ct) =>
        TakeOverAsync(key, (sessions, epoch) =>
        {
            var ended = sessions.Remove(key.ClientId);
            return new BegunSession(epoch, ended, SessionWills.Begin(
                sessions, key.ClientId, Row(key.ClientId, epoch, will), goesOn: false, now));
        }, ct);

    public async ValueTask<StoredSession?> FindAsync(SessionKey key, CancellationToken ct) =>
        (await _rows.ReadAsync(key.DeviceId, ct).ConfigureAwait(false)).Find(key.ClientId);

    public async ValueTask<IReadOnlyList<StoredSession>> OfDeviceAsync(string deviceId, CancellationToken ct) =>
        [.. (await _rows.ReadAsync(deviceId, ct).ConfigureAwait(false)).All()];

    public async ValueTask<Page<StoredSession>> ListAsync(int limit, string? continuation, CancellationToken ct)
    {
        var (device, client) = continuation is null ? (null, "") : Place(continuation);
        return await Paging.TakeAsync(AllAsync(device, client, ct), limit, last => ContinuationToken.Write(
            List, last.Key.DeviceId, Convert.ToHexString(Encoding.UTF8.GetBytes(last.Key.ClientId))), ct)
            .ConfigureAwait(false);
    }

    public ValueTask<bool> SaveInboundAsync(
        SessionKey key, long epoch, InboundExchanges inbound, CancellationToken ct) =>
        OwnedAsync(key, epoch, (change, head) =>
        {
            change.Sessions.Heads[key.ClientId] = head with { Inbound = inbound };
            return default;
        }, ct);

    public ValueTask<bool> SubscribeAsync(
        SessionKey key, long epoch, IReadOnlyList<SessionSubscription> subscriptions, CancellationToken ct) =>
        OwnedAsync(key, epoch, (change, _) => Resubscribe(change, key.ClientId, all =>
        {
            foreach (var one in subscriptions) all[one.Filter] = one;
        }), ct);

    public ValueTask<bool> UnsubscribeAsync(
        SessionKey key, long epoch, IReadOnlyList<string> filters, CancellationToken ct) =>
        OwnedAsync(key, epoch, (change, _) => Resubscribe(change, key.ClientId, all =>
        {
            foreach (var filter in filters) all.Remove(filter);
        }), ct);

    public ValueTask<ClosedSession> CloseAsync(
        SessionKey key, long epoch, SessionClosure closure, DateTimeOffset now, CancellationToken ct) =>
        _changes.MakeAsync(key.DeviceId, change =>
        {
            var head = change.Sessions.Owned(key, epoch);
            if (head is { ExpiresAt: 0 }) head = null;
            if (head is not null)
            {
                change.Sessions.Heads[key.ClientId] = head with
                {
                    IsConnected = false,
                    Inbound = closure.Inbound ?? head.Inbound,
                    SentSequence = Math.Max(head.SentSequence, closure.SentSequence),
                    ExpirySeconds = closure.ExpirySeconds,
                    ExpiresAt = closure.ExpirySeconds == uint.MaxValue
                        ? null
                        : now.AddSeconds(closure.ExpirySeconds).ToUnixTimeMilliseconds(),
                };
            }

            var will = SessionWills.Close(change.Sessions, key.ClientId, epoch, closure, now);
            return new ValueTask<ClosedSession>(new ClosedSession(head is not null, will));
        }, ct);

    public async ValueTask<StoredSession?> EndAsync(
        SessionKey key, long epoch, DateTimeOffset now, CancellationToken ct)
    {
        while (true)
        {
            var newer = await _epochs.NextAsync().WaitAsync(ct).ConfigureAwait(false);
            var (isDone, ended) = await _changes.MakeAsync(key.DeviceId, change =>
            {
                var sessions = change.Sessions;
                if (sessions.Owned(key, epoch) is not { } head)
                    return new ValueTask<(bool, StoredSession?)>((true, null));

                // One that asked for an epoch later may have come first.
                if (sessions.LastEpoch >= newer) return new ValueTask<(bool, StoredSession?)>((false, null));
                sessions.LastEpoch = newer;
                sessions.Heads[key.ClientId] = head.Hold(now) with { Epoch = newer };
                return new ValueTask<(bool, StoredSession?)>((true, sessions.Find(key.ClientId)));
            }, ct).ConfigureAwait(false);
            if (isDone) return ended;
        }
    }

    public ValueTask<bool> ForgetAsync(SessionKey key, long epoch, CancellationToken ct) =>
        OwnedAsync(key, epoch, (change, _) =>
        {
            change.Sessions.Remove(key.ClientId);
            return default;
        }, ct);

    public ValueTask<IReadOnlyList<StoredSession>> DeleteOfDeviceAsync(
        string deviceId, DateTimeOffset now, CancellationToken ct) =>
        _changes.MakeAsync(deviceId, change =>
        {
            SessionWills.DropWaiting(change.Sessions);
            var clients = change.Sessions.Heads.Keys.ToList();
            IReadOnlyList<StoredSession> ended =
                [.. clients.Select(client => change.Sessions.End(client, now)).OfType<StoredSession>()];
            return ValueTask.FromResult(ended);
        }, ct);

    private WillRow? Row(string client, long epoch, StoredWill? will) =>
        will is null ? null : new WillRow(client, epoch, will, _node);

    /// <summary>Changes a session under a new epoch, greater than any that the device's connections had.</summary>
    private async ValueTask<T> TakeOverAsync<T>(
        SessionKey key, Func<DeviceSessions, long, T> take, CancellationToken ct)
        where T : class
    {
        await _nodes.EnsureAsync(_node, ct).ConfigureAwait(false);
        while (true)
        {
            var epoch = await _epochs.NextAsync().WaitAsync(ct).ConfigureAwait(false);
            var taken = await _changes.MakeAsync(key.DeviceId, change =>
            {
                // One that asked later may have come first.
                if (change.Sessions.LastEpoch >= epoch) return new ValueTask<T?>((T?)null);
                change.Sessions.LastEpoch = epoch;
                return new ValueTask<T?>(take(change.Sessions, epoch));
            }, ct).ConfigureAwait(false);
            if (taken is not null) return taken;
        }
    }

    /// <summary>Does the work when the epoch is still the session's.</summary>
    private ValueTask<bool> OwnedAsync(
        SessionKey key, long epoch, Func<SessionChange, SessionHead, ValueTask> work, CancellationToken ct) =>
        _changes.MakeAsync(key.DeviceId, async change =>
        {
            if (change.Sessions.Owned(key, epoch) is not { } head) return false;
            await work(change, head).ConfigureAwait(false);
            return true;
        }, ct);

    private static ValueTask Resubscribe(
        SessionChange change, string client, Action<SortedDictionary<string, SessionSubscription>> work)
    {
        var all = new SortedDictionary<string, SessionSubscription>(StringComparer.Ordinal);
        foreach (var one in change.Sessions.Subscriptions.GetValueOrDefault(client) ?? []) all.Add(one.Filter, one);
        work(all);
        if (all.Count == 0) change.Sessions.Subscriptions.Remove(client);
        else change.Sessions.Subscriptions[client] = [.. all.Values];
        return default;
    }

    private async IAsyncEnumerable<StoredSession> AllAsync(
        string? device, string client, [EnumeratorCancellation] CancellationToken ct)
    {
        for (var shard = device is null ? 0 : Shards.Of(device); shard < Shards.Count; shard++, device = null)
        {
            var devices = await _indexes.DevicesAsync(shard, device ?? "", ct).ConfigureAwait(false);
            foreach (var some in devices.Chunk(DevicesOfRead))
            {
                foreach (var read in await InFlight.SelectAsync(some, ct, _rows.ReadAsync).ConfigureAwait(false))
                {
                    var isAfter = read.Device == device;
                    foreach (var session in read.All())
                        if (!isAfter || IsAfter(session.Key.ClientId, client)) yield return session;
                }
            }
        }

        static bool IsAfter(string one, string other) =>
            Encoding.UTF8.GetBytes(one).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(other)) > 0;
    }

    private static (string Device, string Client) Place(string continuation)
    {
        var key = ContinuationToken.Read(List, continuation, 2);
        try
        {
            return (key[0], Encoding.UTF8.GetString(Convert.FromHexString(key[1])));
        }
        catch (FormatException)
        {
            throw StoreErrors.ContinuationInvalid.With(continuation).AsException();
        }
    }
}
