using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Benchmarks.Pipeline;

/// <summary>The events of a fleet, one device after the other, and what the query must say of them.</summary>
internal sealed class FleetEvents
{
    public const int Devices = 10_000, BodyBytes = 120, WindowSeconds = 180;
    /// <summary>No average of so few values of two digits behind the point is just this.</summary>
    public const double Threshold = 47.50005;

    private const int EventsAWindow = 100 * Devices, EventsAChunk = 100_000;
    private const long StartMs = 1_767_225_600_000;

    private static readonly byte[] Template = Padded("""{"device":"device-00000","temperature":20.00,"humidity":20.0"""
        + ""","battery":10.0,"sequence":1000000000,"site":""");

    private static readonly int TemperatureAt = PlaceOf("20.00"), HumidityAt = PlaceOf("20.0,"),
        BatteryAt = PlaceOf("10.0"), SequenceAt = PlaceOf("1000000000"), DeviceAt = PlaceOf("00000");

    private readonly Random _random = new(5);
    private readonly (int Sum, int Count)[] _window = new (int, int)[Devices];
    private readonly byte[] _body = [.. Template];

    /// <summary>The average of each device and end of a window that the query's condition holds for.</summary>
    public Dictionary<(string Device, long EndMs), double> Rows { get; } = [];

    /// <summary>Each record goes to the partition of its device.</summary>
    public async Task AppendAsync(IEventLog log, long events, int partitions)
    {
        var records = Enumerable.Range(0, partitions).Select(_ => new RecordBatchBuilder()).ToArray();
        for (var number = 0L; number < events;)
        {
            for (var end = Math.Min(events, number + EventsAChunk); number < end; number++) Add(number, records);
            await Task.WhenAll(records.Index().Where(one => one.Item.Count > 0).Select(one =>
                log.AppendAsync(new TopicPartition(Topics.Telemetry, one.Index), one.Item).AsTask()));
            foreach (var one in records) one.Clear();
        }

        CloseWindow(events - 1);
        foreach (var one in records) one.Dispose();
    }

    private void Add(long number, RecordBatchBuilder[] records)
    {
        if (number % EventsAWindow == 0 && number > 0) CloseWindow(number - 1);
        var device = (int)(number % Devices);
        var hundredths = _random.Next(2_000, 7_000);
        Write(DeviceAt, 5, device);
        Write(TemperatureAt, 2, hundredths / 100);
        Write(TemperatureAt + 3, 2, hundredths % 100);
        Write(HumidityAt, 2, _random.Next(20, 100));
        Write(BatteryAt, 2, _random.Next(10, 100));
        Write(SequenceAt, 10, 1_000_000_000 + number);
        var id = _body.AsSpan(DeviceAt - "device-".Length, "device-00000".Length);
        var into = records[Partitioner.PartitionOf(id, records.Length)];
        into.Begin(StartMs + 1 + (number * WindowSeconds * 1_000 / EventsAWindow), id);
        into.End(_body);
        _window[device].Sum += hundredths;
        _window[device].Count++;
    }

    /// <param name="last">The number of the window's last event.</param>
    private void CloseWindow(long last)
    {
        var end = StartMs + (((last / EventsAWindow) + 1) * WindowSeconds * 1_000);
        foreach (var (device, (sum, count)) in _window.Index())
        {
            if (count > 0 && sum / 100.0 / count > Threshold)
                Rows.Add((string.Create(CultureInfo.InvariantCulture, $"device-{device:d5}"), end),
                    sum / 100.0 / count);
        }

        Array.Clear(_window);
    }

    private void Write(int at, byte digits, long number) =>
        Utf8Formatter.TryFormat(number, _body.AsSpan(at, digits), out _, new('D', digits));

    private static byte[] Padded(string start) =>
        Encoding.UTF8.GetBytes($"{start}\"{new string('n', BodyBytes - start.Length - 3)}\"}}");

    private static int PlaceOf(string text) => Template.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text));
}
