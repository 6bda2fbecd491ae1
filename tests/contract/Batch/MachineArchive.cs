using System.Globalization;
using System.Text;
using Millrace.Contracts;
using Millrace.ObjectStore;

namespace Millrace.Contract.Tests.Batch;

/// <summary>
/// Machines that wear out: a reading a second, vibration and temperature that rise with the wear, and a stop at its
/// end.
/// </summary>
internal static class MachineArchive
{
    public const int Machines = 16;

    private const int Seconds = 300;
    private const int StandsSeconds = 6;

    public static async Task WriteAsync(IObjectStore store)
    {
        using var records = new RecordBatchBuilder();
        var chance = new Random(7);
        for (var second = 0; second < Seconds; second++)
        {
            var at = SampleArchive.Start.AddSeconds(second).ToUnixTimeMilliseconds();
            for (var machine = 0; machine < Machines; machine++)
            {
                records.Begin(at, Encoding.UTF8.GetBytes($"machine-{machine}"));
                records.End(Encoding.UTF8.GetBytes(Reading(machine, second, chance)));
            }
        }

        await SampleArchive.WriteTelemetryAsync(store, records, "rpm", "vibration", "temperature");
    }

    private static string Reading(int machine, int second, Random chance)
    {
        var life = 50 + (machine * 3);
        var age = (second + (machine * 5)) % (life + StandsSeconds);
        if (age >= life) return """{"rpm":0,"vibration":0,"temperature":20}""";
        var wear = (double)age / life;
        return string.Create(CultureInfo.InvariantCulture, $$"""
            {"rpm":{{1500 - (50 * wear):F1}},"vibration":{{1 + (4 * wear) + (0.1 * chance.NextDouble()):F3}},
             "temperature":{{45 + (30 * wear * wear) + chance.NextDouble():F2}}}
            """);
    }
}
