using System.Globalization;
using System.Text;
using Millrace.Contracts;
using Millrace.Stores.Positions;

namespace Millrace.Integration.Tests.Cassandra;

/// <summary>
/// Devices that send where they are while something happens, and what must be stored of them. Some send in every round,
/// now and then a message that is late; others once and never again, so that what is lost of these stays lost. Each
/// round raises an alert, too.
/// </summary>
/// <param name="number">Tells the box of the Earth that these devices have for themselves.</param>
internal sealed class WarmFleet(string name, int number)
{
    private const int Steady = 60, Once = 4, LateEvery = 7;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(1);

    private int _round;

    /// <summary>All rows of each device, as they stand in the log.</summary>
    public Dictionary<string, List<DevicePosition>> Rows { get; } = [];

    /// <summary>So many alerts were raised, numbered from 0.</summary>
    public int Alerts { get; private set; }

    /// <summary>The device of the alerts.</summary>
    public string Alarmed => $"{name}-alarmed";

    public GeoBox Box { get; } = new(2 * number, 10, (2 * number) + 1, 11);

    /// <summary>Appends a round of messages, and returns when they are durable.</summary>
    public async Task AppendAsync(WarmLog log)
    {
        var nowMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var round = _round++;
        var devices = Enumerable.Range(0, Steady).Select(i => $"{name}-{i}")
            .Concat(Enumerable.Range(0, Once).Select(i => $"{name}-once-{(round * Once) + i}"));
        var ofPartition = devices.Select((device, i) => (Device: device, Number: i)).ToLookup(
            one => Partitioner.PartitionOf(Encoding.UTF8.GetBytes(one.Device), WarmLog.Partitions));
        foreach (var partition in ofPartition)
        {
            using var records = new RecordBatchBuilder();
            var rows = partition.Select(one => Row(one.Device, one.Number, round, partition.Key, nowMs)).ToList();
            foreach (var row in rows) Add(records, row);
            var range = await log.Log.AppendAsync(new TopicPartition(Topics.Telemetry, partition.Key), records);
            for (var i = 0; i < rows.Count; i++) Keep(rows[i] with { Offset = range.First + i });
        }

        using var alert = new RecordBatchBuilder();
        alert.Begin(nowMs, default, hasKey: false);
        alert.End(Encoding.UTF8.GetBytes($$"""{"deviceId":"{{Alarmed}}","message":"{{Alerts}}"}"""));
        await log.Log.AppendAsync(WarmLog.Alerts, alert);
        Alerts++;
    }

    public async Task SendAsync(WarmLog log, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await AppendAsync(log);
            await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
        }
    }

    private DevicePosition Row(string device, int i, int round, int partition, long nowMs)
    {
        var lateMs = (i + round) % LateEvery == 0 ? (long)Late.TotalMilliseconds : 0;
        var (latitude, longitude) = (((i * 7) + (round * 13)) % 97 / 97.0, ((i * 31) + (round * 5)) % 89 / 89.0);
        return new DevicePosition(device, Box.South + latitude, Box.West + longitude, null, nowMs - lateMs, partition,
            0, nowMs);
    }

    private static void Add(RecordBatchBuilder records, DevicePosition row)
    {
        records.Begin(row.EnqueuedAtMs, Encoding.UTF8.GetBytes(row.DeviceId));
        var created = DateTimeOffset.FromUnixTimeMilliseconds(row.EventAtMs);
        records.AddHeader(TelemetryHeaders.CreationTime,
            Encoding.UTF8.GetBytes(created.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)));
        records.End(Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $$"""{"at":"{{row.Latitude:R}}|{{row.Longitude:R}}"}""")));
    }

    private void Keep(DevicePosition row)
    {
        if (!Rows.TryGetValue(row.DeviceId, out var rows)) Rows.Add(row.DeviceId, rows = []);
        rows.Add(row);
    }
}
