using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Millrace.Contracts;
using Millrace.Saql;

namespace Millrace.Benchmarks.Saql;

/// <summary>Batches of telemetry records, made once and given again and again with rising offsets.</summary>
internal sealed class Telemetry
{
    public const int Devices = 10_000;
    public const int BatchRecords = 500;

    private const int Batches = 200;
    private const long StartMs = 1_767_225_600_000;
    private const double EventsPerMs = 100;

    /// <summary>Where the digits of the device id stand in a record: behind its head and "device-".</summary>
    private const int DigitsAt = 26 + 7;
    private const int Digits = 7;

    /// <summary>Coprime to any number of devices that is 2s and 5s: each has its turn before one comes again.</summary>
    private const long Stride = 7_919;

    private readonly byte[][] _batches = new byte[Batches][];
    private readonly long[] _offsets;
    private readonly int _partitions;
    private readonly int _devices;
    private int _next;
    private long _turnMs;
    private long _events;

    public Telemetry(int partitions = 1, int devices = Devices)
    {
        (_partitions, _devices) = (partitions, devices);
        _offsets = new long[partitions];
        var random = new Random(7);
        using var builder = new RecordBatchBuilder();
        for (var batch = 0; batch < Batches; batch++)
        {
            builder.Clear();
            for (var i = 0; i < BatchRecords; i++) Add(builder, random, batch, i, Math.Min(devices, Devices));
            _batches[batch] = builder.Bytes.ToArray();
        }
    }

    public static int BodyBytes => Encoding.UTF8.GetByteCount(Body(new Random(1)));

    /// <summary>The next batch, its times later than those of all before.</summary>
    public RecordBatch Next()
    {
        var partition = _next % _partitions;
        var bytes = _batches[_next].AsSpan();
        // More devices than there are records: each time the records are of others.
        var isOfOthers = _devices > Batches * BatchRecords;
        for (var at = 0; at < bytes.Length
            && (_turnMs > 0 || isOfOthers); at += 4 + BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]))
        {
            var time = bytes[(at + 8)..];
            BinaryPrimitives.WriteInt64LittleEndian(time, BinaryPrimitives.ReadInt64LittleEndian(time) + _turnMs);
            if (isOfOthers) WriteDigits(bytes.Slice(at + DigitsAt, Digits), _events++ * Stride % _devices);
        }

        var batch = new RecordBatch(new TopicPartition("telemetry", partition), _offsets[partition], BatchRecords,
            _batches[_next]);
        _offsets[partition] += BatchRecords;
        _next = (_next + 1) % Batches;
        if (_next == 0) _turnMs = (long)(Batches * BatchRecords / EventsPerMs);
        return batch;
    }

    private static void WriteDigits(Span<byte> digits, long number)
    {
        for (var i = digits.Length - 1; i >= 0; i--, number /= 10) digits[i] = (byte)('0' + (number % 10));
    }

    private static void Add(RecordBatchBuilder builder, Random random, int batch, int index, int devices)
    {
        var at = StartMs + (long)((((long)batch * BatchRecords) + index) / EventsPerMs);
        var device = string.Create(CultureInfo.InvariantCulture, $"device-{random.Next(devices):d7}");
        builder.Begin(at, Encoding.UTF8.GetBytes(device));
        builder.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
        builder.AddHeader(TelemetryHeaders.AuthMethod, "sas"u8);
        builder.AddHeader(TelemetryHeaders.GenerationId, "638000000000000000"u8);
        builder.AddHeader("app.site"u8, "north"u8);
        builder.End(Encoding.UTF8.GetBytes(Body(random)));
    }

    private static string Body(Random random) => string.Create(CultureInfo.InvariantCulture,
        $$"""
        {"temperature":{{20 + (random.NextDouble() * 50):f2}},"humidity":{{random.Next(20, 90)}},
        "battery":{{random.NextDouble() * 100:f1}},"position":{"lat":{{random.NextDouble() * 90:f5}},
        "lon":{{random.NextDouble() * 90:f5}}},"speed":{{random.NextDouble() * 30:f2}},"status":"flying",
        "sequence":{{random.Next(1_000_000)}},"sentAt":"2026-01-01T00:00:00.000Z"}
        """).Replace("\n", "");
}

/// <summary>Counts, and keeps nothing.</summary>
internal sealed class CountingSink : IQueryRowSink
{
    public long Rows { get; private set; }

    public void Row(in QueryRow row) => Rows++;

    public void Failed(in QueryRowFailure failure) => throw new InvalidOperationException(failure.ToString());

    public void Dropped(TopicPartition source, long offset, int element, bool isLate) =>
        throw new InvalidOperationException("dropped");
}
