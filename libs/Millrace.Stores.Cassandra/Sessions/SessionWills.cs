using Millrace.Stores.Sessions;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>What becomes of wills. Each is handed out from its time on, again and again, until it is removed.</summary>
internal static class SessionWills
{
    /// <summary>
    /// A connection takes the name over. Unless the session goes on before their time, the wills of those before are
    /// due, and returned.
    /// </summary>
    public static List<DueWill> Begin(
        DeviceSessions sessions, string client, WillRow? mine, bool goesOn, DateTimeOffset now)
    {
        var due = new List<DueWill>();
        var before = sessions.Wills.Values.Where(will => will.Client == client && !will.IsHandedOut).ToList();
        foreach (var will in before)
        {
            if (goesOn && IsBefore(will, now)) sessions.Wills.Remove(will.Epoch);
            else due.Add(HandOut(sessions, will, now));
        }

        if (mine is not null) sessions.Wills.Add(mine.Epoch, mine);
        return due;
    }

    /// <summary>The connection has ended: its will when it is due now.</summary>
    public static DueWill? Close(
        DeviceSessions sessions, string client, long epoch, SessionClosure closure, DateTimeOffset now)
    {
        if (sessions.Wills.GetValueOrDefault(epoch) is not { IsConnected: true } will || will.Client != client)
            return null;
        if (closure.DropsWill)
        {
            sessions.Wills.Remove(epoch);
            return null;
        }

        var delay = Math.Min(will.Will.DelaySeconds, closure.ExpirySeconds);
        if (delay == 0) return HandOut(sessions, will, now);
        sessions.Wills[epoch] = will with { HandOutAt = now.AddSeconds(delay).ToUnixTimeMilliseconds() };
        return null;
    }

    /// <summary>Handed out, when its time has come.</summary>
    public static DueWill? Due(DeviceSessions sessions, long epoch, DateTimeOffset now) =>
        sessions.Wills.GetValueOrDefault(epoch) is { } will && will.HandOutAt <= now.ToUnixTimeMilliseconds()
            ? HandOut(sessions, will, now)
            : null;

    /// <summary>The node's connections have ended with it.</summary>
    /// <param name="isOwn">Those that were handed out by it are due again.</param>
    public static void Leave(DeviceSessions sessions, string node, bool isOwn, DateTimeOffset now)
    {
        foreach (var will in sessions.Wills.Values.Where(will => will.Node == node).ToList())
        {
            if (!will.IsConnected && !(isOwn && will.IsHandedOut)) continue;
            var head = sessions.Heads.GetValueOrDefault(will.Client);
            var expiry = head?.Epoch == will.Epoch ? head.ExpirySeconds : 0;
            var delay = will.IsHandedOut ? 0 : Math.Min(will.Will.DelaySeconds, expiry);
            sessions.Wills[will.Epoch] = will with { HandOutAt = now.AddSeconds(delay).ToUnixTimeMilliseconds() };
        }
    }

    public static void DropWaiting(DeviceSessions sessions)
    {
        foreach (var will in sessions.Wills.Values.Where(will => will.IsWaiting).ToList())
            sessions.Wills.Remove(will.Epoch);
    }

    /// <summary>Its session may go on without it.</summary>
    private static bool IsBefore(WillRow will, DateTimeOffset now) =>
        will.HandOutAt is { } at ? at > now.ToUnixTimeMilliseconds() : will.Will.DelaySeconds > 0;

    private static DueWill HandOut(DeviceSessions sessions, WillRow will, DateTimeOffset now)
    {
        sessions.Wills[will.Epoch] = will.HandOut(now);
        return will.Due(sessions.Device);
    }
}
