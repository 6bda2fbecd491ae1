using System.Text.Json;
using Millrace.Contracts;
using Millrace.Saql;

namespace Millrace.Benchmarks.Saql;

/// <summary>Ten rules over three fields of one input; about one event in ten thousand makes an alert.</summary>
internal sealed class RuleCase
{
    private const string Text =
        """
        SELECT temperature, 'hot' AS message INTO alerts FROM telemetry WHERE temperature > 69.99
        SELECT humidity, 'wet' AS message INTO alerts FROM telemetry WHERE humidity > 95
        SELECT battery, 'low battery' AS message INTO alerts FROM telemetry WHERE battery < 0.01
        SELECT temperature, 'cold' AS message INTO alerts FROM telemetry WHERE temperature < 10
        SELECT humidity, 'dry' AS message INTO alerts FROM telemetry WHERE humidity < 10
        SELECT battery, 'overcharged' AS message INTO alerts FROM telemetry WHERE battery > 100.5
        SELECT temperature, 'hot and wet' AS message INTO alerts FROM telemetry WHERE temperature > 69 AND humidity > 89
        SELECT temperature, 'hot and low' AS message INTO alerts FROM telemetry WHERE temperature > 69 AND battery < 0.1
        SELECT temperature, 'cold or dry' AS message INTO alerts FROM telemetry WHERE temperature < 15 OR humidity < 15
        SELECT temperature, 'index' AS message INTO alerts FROM telemetry WHERE temperature + humidity * 0.5 > 114.9
        """;

    private readonly Telemetry _telemetry;
    private readonly Telemetry _same;
    private readonly CountingSink _sink = new();
    private readonly QueryEngine _engine;

    public RuleCase(int devices = Telemetry.Devices)
    {
        (_telemetry, _same) = (new Telemetry(devices: devices), new Telemetry(devices: devices));
        var plan = SaqlCompiler.Compile(Text).Plan!;
        _engine = new QueryEngine(plan, new QueryEngineOptions("rules", 1),
            [new QuerySource("telemetry", new TopicPartition("telemetry", 0), 0)], _sink);
    }

    public static IEnumerable<string> Rules => Text.Split('\n');

    public long Rows => _sink.Rows;

    public long Verdicts { get; private set; }

    public int RunEngine()
    {
        var batch = _telemetry.Next();
        _engine.Process(batch);
        return batch.Count;
    }

    public int RunByHand()
    {
        var batch = _same.Next();
        foreach (var record in batch)
        {
            double temperature = 0, humidity = 0, battery = 0;
            var reader = new Utf8JsonReader(record.Value);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("temperature"u8)) temperature = Next(ref reader);
                else if (reader.ValueTextEquals("humidity"u8)) humidity = Next(ref reader);
                else if (reader.ValueTextEquals("battery"u8)) battery = Next(ref reader);
                else reader.Skip();
            }

            if (temperature > 69.99) Verdicts++;
            if (humidity > 95) Verdicts++;
            if (battery < 0.01) Verdicts++;
            if (temperature < 10) Verdicts++;
            if (humidity < 10) Verdicts++;
            if (battery > 100.5) Verdicts++;
            if (temperature > 69 && humidity > 89) Verdicts++;
            if (temperature > 69 && battery < 0.1) Verdicts++;
            if (temperature < 15 || humidity < 15) Verdicts++;
            if (temperature + (humidity * 0.5) > 114.9) Verdicts++;
        }

        return batch.Count;
    }

    internal static double Next(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.GetDouble();
    }
}
