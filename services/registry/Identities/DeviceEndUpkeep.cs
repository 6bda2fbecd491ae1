using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Stores;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Identities;

/// <summary>
/// Tells that devices were deleted where who deleted them could not: the process ended, or the log did not answer.
/// Else their latest values, positions and states would stay for good.
/// </summary>
internal sealed class DeviceEndUpkeep(
    IIdentityStore store, DeviceChanges changes, IOptions<RegistryOptions> options, TimeProvider time,
    ILogger<DeviceEndUpkeep> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(options.Value.EndsUntoldAfter, time);
            do await RunOnceAsync(stoppingToken).ConfigureAwait(false);
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private async Task RunOnceAsync(CancellationToken ct)
    {
        try
        {
            // Who deletes a younger one may be about to tell it.
            var before = time.GetUtcNow() - options.Value.EndsUntoldAfter;
            foreach (var end in await store.ListUntoldEndsAsync(ct).ConfigureAwait(false))
            {
                if (end.AtMs <= before.ToUnixTimeMilliseconds()) await TellAsync(end, ct).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            log.EndsNotTold(failure);
        }
    }

    private async Task TellAsync(DeviceEnd end, CancellationToken ct)
    {
        var stored = await store.FindRevisionAsync(end.DeviceId, ct).ConfigureAwait(false);
        if (stored?.GenerationId != end.GenerationId)
        {
            await changes.TellAsync(LifecycleKind.Deleted, [(end.DeviceId, end.GenerationId)], null, ct,
                DateTimeOffset.FromUnixTimeMilliseconds(end.AtMs)).ConfigureAwait(false);
            log.EndTold(end.DeviceId);
        }

        await store.EndToldAsync(end, ct).ConfigureAwait(false);
    }
}
