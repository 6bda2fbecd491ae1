using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>Changes devices one after the other, each all in one step.</summary>
internal sealed class SessionChanges(SessionRows rows, SessionIndexes indexes)
{
    private const string Kind = "session-messages";

    // Changes of one device by this process wait for each other here, which is cheaper than trying again.
    private readonly SemaphoreSlim[] _turns =
        [.. Enumerable.Range(0, Shards.Count).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>
    /// Does the work on what is there, again when somebody else was faster, and returns what it gave.
    /// </summary>
    public async ValueTask<T> MakeAsync<T>(
        string device, Func<SessionChange, ValueTask<T>> work, CancellationToken ct)
    {
        var turn = _turns[Shards.Of(device)];
        await turn.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            while (true)
            {
                var before = await rows.ReadAsync(device, ct).ConfigureAwait(false);
                var change = new SessionChange(before.Copy());
                var result = await work(change).ConfigureAwait(false);
                if (!await TryMakeAsync(before, change, ct).ConfigureAwait(false)) continue;
                if (change.Expired > 0)
                    StoreMetrics.Expired.Add(change.Expired, new KeyValuePair<string, object?>("kind", Kind));
                return result;
            }
        }
        finally
        {
            turn.Release();
        }
    }

    private async ValueTask<bool> TryMakeAsync(DeviceSessions before, SessionChange change, CancellationToken ct)
    {
        var after = change.Sessions;
        if (change.Writes.Count == 0 && SessionRows.AreSame(before, after)) return true;
        var (oldHints, newHints) = (before.Hints(), after.Hints());
        var (oldEntries, newEntries) = (before.Entries(), after.Entries());
        if (before.Version is null) await indexes.AddDeviceAsync(before.Device, ct).ConfigureAwait(false);
        foreach (var hint in newHints.Except(oldHints)) await indexes.AddAsync(hint, ct).ConfigureAwait(false);
        foreach (var entry in newEntries.Except(oldEntries)) await indexes.AddAsync(entry, ct).ConfigureAwait(false);
        if (!await rows.TryChangeAsync(before, after, change.Writes, ct).ConfigureAwait(false)) return false;
        foreach (var hint in oldHints.Except(newHints)) await indexes.RemoveAsync(hint, ct).ConfigureAwait(false);
        foreach (var entry in oldEntries.Except(newEntries))
            await indexes.RemoveAsync(entry, ct).ConfigureAwait(false);
        return true;
    }
}
