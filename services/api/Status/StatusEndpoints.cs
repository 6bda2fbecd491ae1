using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Hosting.Http;
using Millrace.Stores.Alerts;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.DeviceStates;
using Millrace.Stores.Identities;
using Millrace.Stores.Telemetry;

namespace Millrace.Api.Status;

/// <summary>The hub at a glance.</summary>
internal static class StatusEndpoints
{
    public static void MapStatus(this RouteGroupBuilder api) =>
        api.MapGet("/status", (HubStatusReader reader, CancellationToken ct) => reader.ReadAsync(ct))
            .RequireAuthorization(ApiScopes.Read).WithTags("Status").WithName("HubStatus")
            .WithSummary("Devices, messages, alerts, and how far the stores are behind the log").Produces<HubStatus>();
}

/// <param name="TelemetryRecords">Records of the telemetry topic since the hub was made.</param>
/// <param name="WarmLag">Records that the warm store does not have yet.</param>
/// <param name="ArchivedRows">Records that the archive has.</param>
/// <param name="ArchiveLag">Records that the archive does not have yet.</param>
public sealed record HubStatus(
    long Devices, long DevicesConnected, long TelemetryRecords, long Alerts, long DeadLetters, long WarmLag,
    long ArchivedRows, long ArchiveLag);

/// <summary>Reads <see cref="HubStatus"/> from the log and the stores.</summary>
public sealed class HubStatusReader(
    IEventLog log, IIdentityStore identities, IDeviceStateStore states, IAlertStore alerts, IDeadLetterStore letters,
    ITelemetryStore telemetry, IOptions<ApiOptions> options, IHostApplicationLifetime lifetime, TimeProvider time)
{
    private readonly SlowCount _devices = Slow(identities.CountAsync, options, time);
    private readonly SlowCount _connected = Slow(states.CountConnectedAsync, options, time);
    private readonly SlowCount _alerts = Slow(alerts.CountAsync, options, time);
    private readonly SlowCount _letters = Slow(letters.CountAsync, options, time);

    public async Task<HubStatus> ReadAsync(CancellationToken ct = default)
    {
        var (records, warm, archived) = (0L, 0L, 0L);
        for (var p = 0; p < (log.FindTopic(Topics.Telemetry)?.Partitions ?? 0); p++)
        {
            var partition = new TopicPartition(Topics.Telemetry, p);
            records += (await log.RangeAsync(partition, ct)).Next;
            warm += (await telemetry.PositionAsync(partition, ct))?.NextOffset ?? 0;
            archived += (await log.CommittedAsync(ConsumerGroups.Archiver, partition, ct))?.NextOffset ?? 0;
        }

        var stopping = lifetime.ApplicationStopping;
        return new HubStatus(await _devices.ReadAsync(stopping, ct), await _connected.ReadAsync(stopping, ct), records,
            await _alerts.ReadAsync(stopping, ct), await _letters.ReadAsync(stopping, ct), records - warm, archived,
            records - archived);
    }

    private static SlowCount Slow(
        Func<CancellationToken, ValueTask<long>> count, IOptions<ApiOptions> options, TimeProvider time) =>
        new(count, options.Value.CountPatience, time);
}
