using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>
/// One count for all sessions of the hub, raised by compare-and-set. Those of this process that wait share one raise,
/// so that many devices that come back at once wait no longer than one.
/// </summary>
internal sealed class EpochSource(CassandraDatabase database)
{
    private static readonly StoreStatement Select = new("SELECT epoch FROM session_epoch WHERE hub = 'hub'");
    private static readonly StoreStatement Raise =
        new("UPDATE session_epoch SET epoch = ? WHERE hub = 'hub' IF epoch = ?");

    private readonly Lock _gate = new();
    private List<TaskCompletionSource<long>> _waiting = [];
    private bool _isRaising;

    /// <summary>Greater than all that were given out before this was called.</summary>
    public Task<long> NextAsync()
    {
        var mine = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _waiting.Add(mine);
            if (_isRaising) return mine.Task;
            _isRaising = true;
        }

        _ = ServeAsync();
        return mine.Task;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            List<TaskCompletionSource<long>> served;
            lock (_gate)
            {
                (served, _waiting) = (_waiting, []);
                if (served.Count == 0)
                {
                    _isRaising = false;
                    return;
                }
            }

            try
            {
                var first = await RaiseAsync(served.Count).ConfigureAwait(false);
                for (var i = 0; i < served.Count; i++) served[i].SetResult(first + i);
            }
            catch (Exception e)
            {
                foreach (var one in served) one.SetException(e);
            }
        }
    }

    private async Task<long> RaiseAsync(int count)
    {
        while (true)
        {
            var have = await database.FirstAsync(Select, row => row.Get<long?>(0), CancellationToken.None)
                .ConfigureAwait(false);
            var raised = await database.RunAsync(Raise, CancellationToken.None, (have ?? 0) + count, have)
                .ConfigureAwait(false);
            if (raised.Applied) return (have ?? 0) + 1;
        }
    }
}
