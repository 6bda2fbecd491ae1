using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Saql.Engine;
using Millrace.Saql.Values;

namespace Millrace.Benchmarks.Saql;

/// <summary>An average by device over a window; every window's end gives no row, HAVING being false.</summary>
internal sealed class WindowCase
{
    private const int DecodedEvents = 1 << 16;
    private const long TicksPerEvent = 100;

    private readonly Telemetry _telemetry;
    private readonly Telemetry _same;
    private readonly CountingSink _sink = new();
    private readonly QueryEngine _engine;
    private readonly Dictionary<string, (double Sum, long Count)> _byDevice = [];
    private readonly Dictionary<string, (double Sum, long Count)>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly (Value Device, double Temperature, string Name)[] _decoded =
        new (Value, double, string)[DecodedEvents];
    private readonly PipelineState _pipeline;
    private readonly RootState _root;
    private readonly EngineContext _context;
    private readonly int _deviceSlot;
    private readonly int _temperatureSlot;
    private long _time = new DateTime(2026, 1, 1).Ticks;

    public WindowCase(
        string window = "TumblingWindow(minute, 3)", int partitions = 1, int devices = Telemetry.Devices)
    {
        _lookup = _byDevice.GetAlternateLookup<ReadOnlySpan<char>>();
        (_telemetry, _same) = (new Telemetry(partitions, devices), new Telemetry(devices: devices));
        var plan = SaqlCompiler.Compile(
            $"SELECT IoTHub.ConnectionDeviceId AS d, AVG(temperature) AS t FROM telemetry GROUP BY " +
                $"IoTHub.ConnectionDeviceId, {window} HAVING AVG(temperature) > 75").Plan!;
        var options = new QueryEngineOptions("windows", 1);
        TopicPartition[] sources =
            [.. Enumerable.Range(0, partitions).Select(partition => new TopicPartition("telemetry", partition))];
        _engine = new QueryEngine(plan, options,
            [.. sources.Select(source => new QuerySource("telemetry", source, 0))], _sink);

        _context = new EngineContext(plan, options, sources[..1], _sink);
        var feed = plan.Parts.Feeds[0];
        var operators = plan.Parts.Operators.Select(one => EngineAssembly.OperatorOf(one, _context)).ToArray();
        foreach (var one in operators) one.Root.Connect(one.OperatorPlan, operators, []);
        _root = new RootState(feed, new Value[feed.Input.SlotCount], _context);
        _root.Connect(feed, operators, []);
        _pipeline = new PipelineState(_context, [new FeedState(feed, 0, options)], [_root], operators);
        _context.NextDueChanged = _ => _pipeline.NextDueChanged();
        _deviceSlot = feed.Input.Metadata.Values.Single().Slot;
        _temperatureSlot = 1 - _deviceSlot;
        Decode();
    }

    public long Rows => _sink.Rows;

    public int RunEngine()
    {
        var batch = _telemetry.Next();
        _engine.Process(batch);
        return batch.Count;
    }

    public int RunByHand()
    {
        var batch = _same.Next();
        Span<char> name = stackalloc char[64];
        foreach (var record in batch)
        {
            var reader = new Utf8JsonReader(record.Value);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (!reader.ValueTextEquals("temperature"u8))
                {
                    reader.Skip();
                    continue;
                }

                var length = Encoding.UTF8.GetChars(record.Key, name);
                ref var group = ref CollectionsMarshal.GetValueRefOrAddDefault(_lookup, name[..length], out _);
                group.Sum += RuleCase.Next(ref reader);
                group.Count++;
            }
        }

        return batch.Count;
    }

    /// <summary>
    /// Rows whose fields are in their slots already: 10,000 events a second of the stream's time a device.
    /// </summary>
    public int RunDecoded()
    {
        var frame = _context.Frame;
        foreach (ref readonly var row in _decoded.AsSpan())
        {
            _time += TicksPerEvent;
            _root.Slots[_deviceSlot] = row.Device;
            _root.Slots[_temperatureSlot] = Value.Of(row.Temperature);
            frame.Origin.Timestamp = _time;
            frame.Origin.Device = row.Device;
            _pipeline.Take(0);
        }

        return _decoded.Length;
    }

    public int RunDecodedByHand()
    {
        foreach (ref readonly var row in _decoded.AsSpan())
        {
            ref var group = ref CollectionsMarshal.GetValueRefOrAddDefault(_byDevice, row.Name, out _);
            group.Sum += row.Temperature;
            group.Count++;
        }

        return _decoded.Length;
    }

    /// <summary>Ids lie one behind the other, as in a batch; the loop by hand has one string a device.</summary>
    private void Decode()
    {
        var random = new Random(3);
        string[] names = [.. Enumerable.Range(0, Telemetry.Devices).Select(device => $"device-{device:d5}")];
        var bytes = new byte[DecodedEvents * names[0].Length];
        for (var i = 0; i < _decoded.Length; i++)
        {
            var name = names[random.Next(names.Length)];
            var start = i * name.Length;
            Encoding.UTF8.GetBytes(name, bytes.AsSpan(start));
            _decoded[i] = (Value.OfText(bytes, start, name.Length), 20 + (random.NextDouble() * 50), name);
        }
    }
}
