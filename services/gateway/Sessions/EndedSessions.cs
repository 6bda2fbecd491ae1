using Millrace.Gateway.TopicSpaces;
using Millrace.Primitives;
using Millrace.Stores;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Sessions;

/// <summary>
/// Empties kept sessions that have ended: what waits in them for a shared subscription goes on to others of its group
/// (MQTT 5 §4.8.2), everything else is lost and counted. A message leaves the store when others have it, so that a
/// crash loses none; one of QoS 2 leaves it before, so that none comes twice, and only if the client never had it.
/// </summary>
internal sealed class EndedSessions(
    ISessionStore store, SpaceBroker spaces, GatewayMetrics metrics, TimeProvider time)
{
    private const int PageMessages = 100;
    private const long PageBytes = 1 << 20;

    /// <summary>Takes the session, and removes it when it is empty.</summary>
    /// <param name="reason">Why what nobody else can have is lost.</param>
    /// <returns>False: somebody else has taken it.</returns>
    public async ValueTask<bool> EmptyAsync(StoredSession ended, string reason)
    {
        spaces.Members.End(ended.Key, ended.SessionId);
        var from = new SpaceMember(ended.Key, ended.SessionId);
        StoredSession? taken = null;
        var (takenAt, left, last) = (0L, 0, 0L);
        while (true)
        {
            if (taken is null || time.GetElapsedTime(takenAt) > StoredSession.HeldFor / 2)
            {
                takenAt = time.GetTimestamp();
                taken = await store.EndAsync(ended.Key, (taken ?? ended).Epoch, time.GetUtcNow()).ConfigureAwait(false);
                if (taken is null) return false;
                left = taken.Queued;
            }

            var page = await PageAsync(taken.Key, last).ConfigureAwait(false);
            if (page.Count == 0) break;
            if (!await EmptyAsync(taken, from, page, reason).ConfigureAwait(false)) return false;
            (last, left) = (page[^1].Sequence, left - page.Count);
        }

        if (!await store.ForgetAsync(taken.Key, taken.Epoch).ConfigureAwait(false)) return false;
        metrics.DeliveryLost(reason, left);
        return true;
    }

    /// <summary>None when there is no more, or what there is cannot be read.</summary>
    private async ValueTask<IReadOnlyList<QueuedMessage>> PageAsync(SessionKey key, long afterSequence)
    {
        try
        {
            return await store.QueueAsync(key, afterSequence, PageMessages, PageBytes).ConfigureAwait(false);
        }
        catch (MillraceException failure) when (failure.Error.Definition == StoreErrors.RowDamaged)
        {
            // It would hold up the end of the session for ever.
            return [];
        }
    }

    private async ValueTask<bool> EmptyAsync(
        StoredSession taken, SpaceMember from, IReadOnlyList<QueuedMessage> page, string reason)
    {
        var now = time.GetUtcNow();
        var shared = page.Where(each => MayGoOn(each, taken.SentSequence, now)).ToList();
        var once = shared.Where(each => each.Message.Qos == 2).Select(each => each.Sequence).ToList();
        if (!await RemoveAsync(taken, once).ConfigureAwait(false)) return false;
        int passedOn;
        try
        {
            passedOn = await spaces.PassOnAsync(from, shared.ConvertAll(each => each.Message)).ConfigureAwait(false);
        }
        catch (Exception)
        {
            metrics.DeliveryLost(reason, once.Count);
            throw;
        }

        var rest = page.Select(each => each.Sequence).Except(once).ToList();
        if (!await RemoveAsync(taken, rest).ConfigureAwait(false)) return false;
        metrics.DeliveryLost(reason, page.Count - passedOn);
        return true;
    }

    private async ValueTask<bool> RemoveAsync(StoredSession taken, IReadOnlyList<long> sequences) =>
        sequences.Count == 0 || await store.RemoveAsync(taken.Key, taken.Epoch, sequences).ConfigureAwait(false);

    private static bool MayGoOn(QueuedMessage queued, long sentSequence, DateTimeOffset now)
    {
        var message = queued.Message;
        return message.Share is not null && !(message.ExpiresAt <= now)
            && (message.Qos < 2 || (queued.Sequence > sentSequence && !queued.IsReceived));
    }
}
