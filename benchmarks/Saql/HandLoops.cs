using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Millrace.Contracts;

namespace Millrace.Benchmarks.Saql;

/// <summary>What must be done at least for the questions of <see cref="SaqlCases"/>.</summary>
internal sealed class HandLoops
{
    public const long EventsASecond = 100_000;
    public const float TemperatureWeight = 2, HumidityWeight = 1.25f;

    private static readonly (double Lat, double Lon)[] Corners =
        [(10, 10), (10, 11), (11, 11.5), (12, 10.5), (11, 9)];

    private readonly char[] _name = new char[64];
    private readonly ArrayBufferWriter<byte> _row = new();
    private readonly Utf8JsonWriter _writer;
    private readonly Dictionary<string, State> _byDevice = [];
    private readonly Dictionary<string, State>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public HandLoops()
    {
        _lookup = _byDevice.GetAlternateLookup<ReadOnlySpan<char>>();
        _writer = new Utf8JsonWriter(_row);
    }

    public long Verdicts { get; private set; }

    public void Filter(RecordView record)
    {
        if (Read(record).Temperature <= 65) return;
        _row.ResetWrittenCount();
        _row.Write(record.Value);
    }

    public void Projection(RecordView record)
    {
        var (temperature, humidity) = Read(record);
        _row.ResetWrittenCount();
        _writer.Reset(_row);
        _writer.WriteStartObject();
        _writer.WriteString("d"u8, record.Key);
        _writer.WriteNumber("temperature"u8, temperature);
        _writer.WriteNumber("humidity"u8, humidity);
        _writer.WriteEndObject();
        _writer.Flush();
    }

    /// <summary>One sum by device, whatever the window.</summary>
    public void Sum(RecordView record) => StateOf(record).Temperature += Read(record).Temperature;

    /// <summary>Who sends again after the time was absent; one that never does is not found.</summary>
    public void Absence(RecordView record)
    {
        ref var state = ref StateOf(record);
        if (record.TimestampMs - state.AtMs > 200) Verdicts++;
        state.AtMs = record.TimestampMs;
    }

    public void Lag(RecordView record)
    {
        var temperature = Read(record).Temperature;
        ref var state = ref StateOf(record);
        if (temperature - state.Temperature > 49.9) Verdicts++;
        state.Temperature = temperature;
    }

    /// <summary>A point in a polygon of the plane.</summary>
    public void Fence(RecordView record)
    {
        var (lat, lon) = Position(record);
        var isWithin = false;
        for (int i = 0, j = Corners.Length - 1; i < Corners.Length; j = i++)
        {
            var (a, b) = (Corners[i], Corners[j]);
            if (a.Lat > lat != b.Lat > lat && lon < ((b.Lon - a.Lon) * (lat - a.Lat) / (b.Lat - a.Lat)) + a.Lon)
                isWithin = !isWithin;
        }

        if (isWithin) Verdicts++;
    }

    public void Pattern(RecordView record)
    {
        var temperature = Read(record).Temperature;
        ref var state = ref StateOf(record);
        if (state.InARow >= 2 && temperature < 21) Verdicts++;
        state.InARow = temperature > 69 ? state.InARow + 1 : 0;
    }

    /// <summary>The sum that the model is.</summary>
    public void Score(RecordView record)
    {
        var (temperature, humidity) = Read(record);
        if ((temperature * TemperatureWeight) + (humidity * HumidityWeight) > 249) Verdicts++;
    }

    private ref State StateOf(RecordView record)
    {
        var length = Encoding.UTF8.GetChars(record.Key, _name);
        return ref CollectionsMarshal.GetValueRefOrAddDefault(_lookup, _name.AsSpan(0, length), out _);
    }

    private static (double Temperature, double Humidity) Read(RecordView record)
    {
        double temperature = 0, humidity = 0;
        var reader = new Utf8JsonReader(record.Value);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("temperature"u8)) temperature = RuleCase.Next(ref reader);
            else if (reader.ValueTextEquals("humidity"u8)) humidity = RuleCase.Next(ref reader);
            else reader.Skip();
        }

        return (temperature, humidity);
    }

    private static (double Lat, double Lon) Position(RecordView record)
    {
        double lat = 0, lon = 0;
        var reader = new Utf8JsonReader(record.Value);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName) continue;
            if (reader.ValueTextEquals("lat"u8)) lat = RuleCase.Next(ref reader);
            else if (reader.ValueTextEquals("lon"u8)) lon = RuleCase.Next(ref reader);
        }

        return (lat, lon);
    }

    private struct State
    {
        public long AtMs;
        public double Temperature;
        public int InARow;
    }
}
