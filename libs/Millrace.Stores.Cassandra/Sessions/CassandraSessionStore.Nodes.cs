using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>Which node's connection has a session, and what the clock brings.</summary>
internal sealed partial class CassandraSessionStore
{
    /// <summary>
    /// So long after its time may the change be on its way that a hint was written for: longer than any request takes.
    /// </summary>
    private static readonly TimeSpan ChangePatience = TimeSpan.FromMinutes(10);

    public async ValueTask<DateTimeOffset?> RenewAsync(string run, DateTimeOffset now, CancellationToken ct)
    {
        var before = await _nodes.HeardAtAsync(_node, ct).ConfigureAwait(false);
        await _nodes.HearAsync(_node, run, now, ct).ConfigureAwait(false);
        return before;
    }

    public async ValueTask<int> CountNodesAsync(DateTimeOffset heardSince, CancellationToken ct) =>
        (await _nodes.HeardAsync(heardSince, ct).ConfigureAwait(false)).Count;

    public async ValueTask<IReadOnlyList<string>> ListLostRunsAsync(
        string run, DateTimeOffset heardSince, CancellationToken ct)
    {
        var runs = await _nodes.RunsAsync(ct).ConfigureAwait(false);
        var heard = await _nodes.HeardAsync(heardSince, ct).ConfigureAwait(false);
        var isFirst = !heard.Any(node => string.CompareOrdinal(node, _node) < 0);
        return
        [
            .. runs.Where(one => one.Run != run && (one.Node == _node || isFirst && !heard.Contains(one.Node)))
                .Select(one => one.Run),
        ];
    }

    public async ValueTask EndRunAsync(string run, CancellationToken ct) =>
        await _nodes.EndAsync(run, ct).ConfigureAwait(false);

    public async ValueTask<string?> HolderAsync(SessionKey key, DateTimeOffset heardSince, CancellationToken ct)
    {
        var sessions = await _rows.ReadAsync(key.DeviceId, ct).ConfigureAwait(false);
        if (sessions.Heads.GetValueOrDefault(key.ClientId) is not { IsConnected: true } head) return null;
        return await _nodes.HeardAtAsync(head.Node, ct).ConfigureAwait(false) >= heardSince ? head.Node : null;
    }

    public async ValueTask<IReadOnlyList<StoredSession>> ListLeftAsync(
        DateTimeOffset heardSince, bool own, int max, CancellationToken ct)
    {
        var left = new List<StoredSession>();
        foreach (var node in await _nodes.LeftAsync(heardSince, own ? _node : null, ct).ConfigureAwait(false))
        {
            var entries = await _indexes.EntriesAsync(node, ct).ConfigureAwait(false);
            foreach (var some in entries.Select(entry => entry.Device).Distinct().Chunk(DevicesOfRead))
            {
                foreach (var device in await InFlight.SelectAsync(some, ct, _rows.ReadAsync).ConfigureAwait(false))
                {
                    left.AddRange(device.All().Where(session =>
                        session.IsConnected && device.Heads[session.Key.ClientId].Node == node));
                }

                if (left.Count >= max) return left[..max];
            }
        }

        return left;
    }

    public async ValueTask LeaveWillsAsync(
        DateTimeOffset now, DateTimeOffset heardSince, bool own, CancellationToken ct)
    {
        foreach (var node in await _nodes.LeftAsync(heardSince, own ? _node : null, ct).ConfigureAwait(false))
        {
            var entries = await _indexes.EntriesAsync(node, ct).ConfigureAwait(false);
            await InFlight.ForEachAsync(entries.GroupBy(entry => entry.Device), ct, async (device, token) =>
            {
                var sessions = await _changes.MakeAsync(device.Key, change =>
                {
                    SessionWills.Leave(change.Sessions, node, own && node == _node, now);
                    return new ValueTask<DeviceSessions>(change.Sessions);
                }, token).ConfigureAwait(false);

                // A connection of a greater epoch may be opening.
                var needed = sessions.Entries();
                foreach (var entry in device.Where(e => e.Epoch <= sessions.LastEpoch && !needed.Contains(e)))
                    await _indexes.RemoveAsync(entry, token).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
    }

    public async ValueTask RemoveWillsAsync(IReadOnlyList<DueWill> wills, CancellationToken ct) =>
        await InFlight.ForEachAsync(wills.GroupBy(will => will.Key.DeviceId), ct, async (device, token) =>
            await _changes.MakeAsync(device.Key, change =>
            {
                foreach (var will in device) change.Sessions.Wills.Remove(will.Epoch);
                return new ValueTask<bool>(true);
            }, token).ConfigureAwait(false)).ConfigureAwait(false);

    public async ValueTask<SweepResult> SweepAsync(DateTimeOffset now, int max, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        await FinishOutboxesAsync(now, ct).ConfigureAwait(false);
        var ended = await SweepAsync(DueKind.Session, now, max, (sessions, hint) =>
            sessions.Heads.GetValueOrDefault(hint.Client)?.HasExpired(now) == true
                ? sessions.End(hint.Client, now)
                : null, ct).ConfigureAwait(false);
        var wills = await SweepAsync(DueKind.Will, now, max,
            (sessions, hint) => SessionWills.Due(sessions, hint.Epoch, now), ct).ConfigureAwait(false);
        return new SweepResult(ended, wills, Math.Max(ended.Count, wills.Count) >= max);
    }

    /// <summary>Looks at what is due, until there is no more or enough came of it.</summary>
    private async ValueTask<List<T>> SweepAsync<T>(
        DueKind kind, DateTimeOffset now, int max, Func<DeviceSessions, DueHint, T?> take, CancellationToken ct)
        where T : class
    {
        var (taken, unneeded) = (new List<T>(), new HashSet<DueHint>());
        while (taken.Count < max)
        {
            var due = await _indexes.DueAsync(kind, now, max - taken.Count + unneeded.Count, ct).ConfigureAwait(false);
            var devices = due.Where(hint => !unneeded.Contains(hint)).GroupBy(hint => hint.Device).ToList();
            if (devices.Count == 0) break;
            var found = await InFlight.SelectAsync(devices, ct, (device, token) =>
                SweepAsync(device, take, token)).ConfigureAwait(false);
            taken.AddRange(found.SelectMany(some => some.Taken));
            unneeded.UnionWith(found.SelectMany(some => some.Unneeded));
        }

        // Left by somebody who died, or whose change is still to come: it needs them then.
        foreach (var hint in unneeded.Where(hint => IsOver(hint, now)))
            await _indexes.RemoveAsync(hint, ct).ConfigureAwait(false);
        return taken;
    }

    private ValueTask<(List<T> Taken, List<DueHint> Unneeded)> SweepAsync<T>(
        IGrouping<string, DueHint> device, Func<DeviceSessions, DueHint, T?> take, CancellationToken ct)
        where T : class =>
        _changes.MakeAsync(device.Key, change =>
        {
            var needed = change.Sessions.Hints();
            List<T> taken = [.. device.Select(hint => take(change.Sessions, hint)).OfType<T>()];
            List<DueHint> unneeded = [.. device.Where(hint => !needed.Contains(hint))];
            return new ValueTask<(List<T>, List<DueHint>)>((taken, unneeded));
        }, ct);

    private static bool IsOver(DueHint hint, DateTimeOffset now) =>
        hint.DueAt <= (now - ChangePatience).ToUnixTimeMilliseconds();
}
