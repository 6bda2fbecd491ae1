using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Node;
using Millrace.Stores.Jobs;

namespace Millrace.ColdPath.Runs;

/// <summary>Gives a job to one runner at a time, over all processes.</summary>
internal sealed class JobLeases(
    IJobStore store, IOptions<ColdPathOptions> options, IOptions<NodeOptions> node, ColdPathMetrics metrics,
    TimeProvider time, ILogger<JobLeases> log)
{
    private readonly TimeSpan _duration = options.Value.LeaseDuration;

    /// <summary>This process, and this start of it.</summary>
    private readonly string _process = $"{node.Value.Name}/{Guid.NewGuid():N}";

    /// <summary>
    /// Takes the job for this runner while the work lasts; false when another has it. CP-0016 when the lease was lost
    /// and the work ended for that.
    /// </summary>
    public async Task<bool> TryAloneAsync(string job, Func<JobLease, Task> work, CancellationToken ct)
    {
        // A name of its own: two requests to one process are two runners.
        var owner = $"{_process}/{Guid.NewGuid():N}";
        var name = $"job/{job}";
        var askedAt = time.GetUtcNow();
        if (!await store.TryLeaseAsync(name, owner, askedAt, _duration, ct).ConfigureAwait(false)) return false;
        using var lease = new JobLease(askedAt + _duration, time, ct);
        var renewing = RenewAsync(name, owner, lease);
        try
        {
            await work(lease).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException e) when (lease.IsLost && !ct.IsCancellationRequested)
        {
            metrics.LeaseLost(job);
            log.LeaseLost(job);
            throw ColdPathErrors.LeaseLost.With(job).AsException(e);
        }
        finally
        {
            await lease.EndAsync().ConfigureAwait(false);
            await renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ReleaseAsync(name, owner).ConfigureAwait(false);
        }
    }

    /// <summary>What the work gave stands, whatever becomes of this: the lease ends by itself.</summary>
    private async Task ReleaseAsync(string name, string owner)
    {
        try
        {
            await store.ReleaseAsync(name, owner, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            log.LeaseNotReleased(name, e.Message);
        }
    }

    /// <summary>Until the work ends, or the store says that the lease is another's.</summary>
    private async Task RenewAsync(string name, string owner, JobLease lease)
    {
        while (true)
        {
            await Task.Delay(_duration / 3, time, lease.Token).ConfigureAwait(false);
            var askedAt = time.GetUtcNow();
            try
            {
                if (!await store.TryLeaseAsync(name, owner, askedAt, _duration, lease.Token).ConfigureAwait(false))
                {
                    await lease.LoseAsync().ConfigureAwait(false);
                    return;
                }

                lease.RenewedUntil(askedAt + _duration);
            }
            catch (Exception e) when (!lease.Token.IsCancellationRequested)
            {
                // It is tried again; one that runs out meanwhile is lost.
                log.LeaseNotRenewed(name, e.Message);
            }
        }
    }
}
