using Millrace.Contracts;

namespace Millrace.EventLog;

public static class AssignmentFollower
{
    /// <summary>
    /// Tells of each change until the token is cancelled or the watch fails. Then all partitions that are held are
    /// revoked, and only when that work is done are they given back: whoever takes one over finds it finished.
    /// </summary>
    public static async Task FollowAssignmentAsync(
        this IEventLog log, string group, string topic, Func<AssignmentChange, Task> changed, CancellationToken stop)
    {
        using var leave = new CancellationTokenSource();
        await using var changes = log.WatchAssignmentAsync(group, topic, leave.Token).GetAsyncEnumerator(leave.Token);
        var held = new HashSet<TopicPartition>();
        var next = changes.MoveNextAsync().AsTask();
        try
        {
            while (await next.WaitAsync(stop).ConfigureAwait(false))
            {
                await TellAsync(changes.Current).ConfigureAwait(false);
                next = changes.MoveNextAsync().AsTask();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // What is held is given back below.
        }
        finally
        {
            await TellAsync(new AssignmentChange(AssignmentKind.Revoked, [.. held], () => { })).ConfigureAwait(false);
            await leave.CancelAsync().ConfigureAwait(false);
            await EndAsync(changes, next).ConfigureAwait(false);
        }

        async Task TellAsync(AssignmentChange change)
        {
            if (change.Kind == AssignmentKind.Assigned) held.UnionWith(change.Partitions);
            else held.ExceptWith(change.Partitions);
            await changed(change).ConfigureAwait(false);
            if (change.Kind == AssignmentKind.Revoked) change.Complete();
        }
    }

    /// <summary>Nothing is worked on any more: what is taken away now is given back at once.</summary>
    private static async Task EndAsync(IAsyncEnumerator<AssignmentChange> changes, Task<bool> next)
    {
        try
        {
            for (; await next.ConfigureAwait(false); next = changes.MoveNextAsync().AsTask())
                changes.Current.Complete();
        }
        catch (Exception)
        {
            // It was told to end, or has failed, which was told already.
        }
    }
}
