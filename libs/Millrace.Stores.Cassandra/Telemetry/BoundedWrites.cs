using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>Executes writes so many at a time, whoever they are for.</summary>
/// <param name="write">Returns when the write is acknowledged.</param>
internal sealed class BoundedWrites(Func<CqlStatement, CancellationToken, ValueTask<RowSet>> write, int inFlightMax)
{
    private readonly SemaphoreSlim _free = new(inFlightMax, inFlightMax);

    /// <summary>
    /// Returns when all are acknowledged. After a failure no more are begun, those under way are waited for, and the
    /// first failure is thrown.
    /// </summary>
    public async Task ExecuteAsync(IReadOnlyList<CqlStatement> writes, CancellationToken ct)
    {
        var underWay = new List<Task>(writes.Count);
        using var failed = new CancellationTokenSource();
        foreach (var one in writes)
        {
            await _free.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            if (ct.IsCancellationRequested || failed.IsCancellationRequested)
            {
                _free.Release();
                break;
            }

            underWay.Add(ExecuteAsync(one, failed, ct));
        }

        await Task.WhenAll(underWay).ConfigureAwait(false);
        ct.ThrowIfCancellationRequested();
    }

    private async Task ExecuteAsync(CqlStatement one, CancellationTokenSource failed, CancellationToken ct)
    {
        try
        {
            await write(one, ct).ConfigureAwait(false);
        }
        catch
        {
            await failed.CancelAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            _free.Release();
        }
    }
}
