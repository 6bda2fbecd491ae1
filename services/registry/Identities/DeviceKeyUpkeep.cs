using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Stores;
using Millrace.Stores.Identities;

namespace Millrace.Registry.Identities;

/// <summary>
/// While Stores:OtherDeviceKeyFile is there: puts all device keys under the present key, at the start and again after
/// a while, because processes that were started earlier may still write under the other one.
/// </summary>
internal sealed class DeviceKeyUpkeep(
    IIdentityStore store, IOptions<StoreOptions> stores, IOptions<RegistryOptions> options, TimeProvider time,
    ILogger<DeviceKeyUpkeep> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!File.Exists(stores.Value.OtherDeviceKeyFile)) return;
        try
        {
            using var timer = new PeriodicTimer(options.Value.KeyRenewalInterval, time);
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
        var (renewed, left) = (0L, 0L);
        try
        {
            string? next = null;
            do
            {
                var page = await store.RenewKeysAsync(options.Value.PageDevicesMax, next, ct).ConfigureAwait(false);
                (renewed, left, next) = (renewed + page.Renewed, left + page.Left, page.Continuation);
                RegistryMetrics.KeysRenewed.Add(page.Renewed);
            }
            while (next is not null);
            if (left == 0) await store.AllKeysRenewedAsync(ct).ConfigureAwait(false);
            log.KeysRenewed(renewed, left);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            log.KeysNotRenewed(renewed, failure);
        }
    }
}
