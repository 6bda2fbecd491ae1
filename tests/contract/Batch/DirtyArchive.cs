using System.Globalization;
using System.Text;
using Millrace.Contracts;
using Millrace.ObjectStore;

namespace Millrace.Contract.Tests.Batch;

/// <summary>
/// An archive as it is in the field: with messages that were sent twice, came late, are missing, lack a field, are out
/// of range or no text. All of one log partition, in the order of their offsets.
/// </summary>
internal static class DirtyArchive
{
    public static readonly DateTimeOffset Day = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Of pump-1 one is of the day before; pump-3 is as it should be.</summary>
    public static IReadOnlyList<Reading> Readings { get; } =
    [
        new Reading("pump-1", "-02:00:00") { Id = "a0", Temperature = 19 },
        new Reading("pump-1", "10:00:00") { Id = "a1", Temperature = 20 },
        new Reading("pump-1", "10:01:00") { Id = "a2", Temperature = 21 },
        new Reading("pump-1", "10:02:00") { Id = "a3", Temperature = 22 },
        new Reading("pump-1", "10:03:00") { Id = "a4", Temperature = 23 },
        new Reading("pump-1", "10:04:00") { Id = "a5", Temperature = 24 },
        new Reading("pump-1", "10:05:00", "10:02:00") { Id = "a3", Temperature = 22 },
        new Reading("pump-1", "10:25:00") { Id = "a6", Temperature = 30 },
        new Reading("pump-1", "10:26:00") { Id = "a7", Temperature = 500 },
        new Reading("pump-1", "10:40:00", "10:10:00") { Id = "a8", Temperature = 26 },
        new Reading("pump-1", "10:41:00", "10:43:00") { Id = "a9", Temperature = 31 },
        new Reading("pump-1", "10:42:00") { Id = "a10" },
        new Reading("pump-2", "10:00:00") { Temperature = 1 },
        new Reading("pump-2", "10:00:30", "10:00:00") { Temperature = 1 },
        new Reading("pump-2", "10:01:00") { Temperature = 1 },
        new Reading("pump-2", "10:02:00") { Pressure = 5 },
        new Reading("pump-2", "10:03:00", "10:00:45") { Temperature = 7 },
        new Reading("pump-2", "11:30:30") { Temperature = 2, Pressure = 6 },
        new Reading("pump-2", "11:31:00") { Pressure = -100 },
        new Reading("pump-2", "11:33:00", "11:30:10") { Temperature = 9 },
        .. Enumerable.Range(0, 10).Select(i =>
            new Reading("pump-3", $"10:{i:D2}:00") { Id = $"c{i}", Temperature = 40 + i, Pressure = i * i }),
    ];

    public static async Task WriteAsync(IObjectStore store)
    {
        using var records = new RecordBatchBuilder();
        foreach (var reading in Readings)
        {
            records.Begin(reading.EnqueuedAt.ToUnixTimeMilliseconds(), Encoding.UTF8.GetBytes(reading.Device));
            Add(TelemetryHeaders.CreationTime,
                reading.EventAt.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            if (reading.Id is { } id) Add(TelemetryHeaders.MessageId, id);
            if (reading.IsText) records.End(Encoding.UTF8.GetBytes(reading.Json));
            else
            {
                Add(TelemetryHeaders.ContentType, "application/octet-stream");
                records.End([0xFF, 0xFE]);
            }
        }

        await SampleArchive.WriteTelemetryAsync(store, records, "temperature", "pressure");

        void Add(ReadOnlySpan<byte> name, string value) => records.AddHeader(name, Encoding.UTF8.GetBytes(value));
    }
}

/// <param name="Enqueued">The time of the day at which it was accepted.</param>
/// <param name="Created">When the device made it, where that is another time.</param>
internal sealed record Reading(string Device, string Enqueued, string? Created = null)
{
    public string? Id { get; init; }

    public double? Temperature { get; init; }

    public double? Pressure { get; init; }

    public DateTimeOffset EnqueuedAt => At(Enqueued);

    public DateTimeOffset EventAt => At(Created ?? Enqueued);

    public bool IsText => (Temperature ?? Pressure) is not null;

    public string Json => $"{{{string.Join(',', Field("temperature"), Field("pressure")).Trim(',')}}}";

    public double? ValueOf(string measure) => measure == "temperature" ? Temperature : Pressure;

    private string Field(string measure) =>
        ValueOf(measure) is { } value ? FormattableString.Invariant($"\"{measure}\":{value}") : "";

    private static DateTimeOffset At(string time) =>
        DirtyArchive.Day + TimeSpan.Parse(time, CultureInfo.InvariantCulture);
}
