using System.Text;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Registry.Identities;

/// <summary>Tells that devices changed: a lifecycle record for those who follow, a notice for the gateways.</summary>
internal sealed class DeviceChanges(IEventLog log, TimeProvider time)
{
    private static readonly TopicPartition Control = new(Topics.Control, 0);

    /// <param name="at">When they changed, where that is longer ago than now.</param>
    public async ValueTask TellAsync(
        LifecycleKind kind, IReadOnlyList<(string DeviceId, string? GenerationId)> devices, string? reason,
        CancellationToken ct, DateTimeOffset? at = null)
    {
        var now = time.GetUtcNow();
        using var notices = new RecordBatchBuilder();
        foreach (var (deviceId, _) in devices)
        {
            Add(notices, now, deviceId, JsonSerializer.SerializeToUtf8Bytes(
                new ControlNotice(ControlKinds.Device, deviceId), ContractJson.Default.ControlNotice));
        }

        // Gateways hear first: a device that was disabled must go within a second.
        await log.AppendAsync(Control, notices, ct);
        var partitions = log.FindTopic(Topics.Lifecycle)!.Partitions;
        foreach (var part in devices.GroupBy(
            d => Partitioner.PartitionOf(Encoding.UTF8.GetBytes(d.DeviceId), partitions)))
        {
            using var events = new RecordBatchBuilder();
            foreach (var (deviceId, generationId) in part)
            {
                var lifecycle = new LifecycleEvent(kind, deviceId, at ?? now, reason, GenerationId: generationId);
                Add(events, now, deviceId,
                    JsonSerializer.SerializeToUtf8Bytes(lifecycle, ContractJson.Default.LifecycleEvent));
            }

            await log.AppendAsync(new TopicPartition(Topics.Lifecycle, part.Key), events, ct);
        }
    }

    private static void Add(RecordBatchBuilder records, DateTimeOffset at, string deviceId, byte[] body)
    {
        records.Begin(at.ToUnixTimeMilliseconds(), Encoding.UTF8.GetBytes(deviceId));
        records.End(body);
    }
}
