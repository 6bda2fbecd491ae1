using System.Text;
using System.Text.Json;

namespace Millrace.Extensions.Tests;

/// <summary>What a user's assembly may hold: this one, loaded again by its path.</summary>
public static class Fleet
{
    private static long? _kept;

    public static double Fahrenheit(double celsius) => (celsius * 9 / 5) + 32;

    public static string? Label(string? name, long? floor) => name is null ? null : $"{name}/{floor ?? 0}";

    public static object Parts(JsonElement machine) => new { parts = machine.GetProperty("parts").GetArrayLength() };

    public static DateTimeOffset NextDay(DateTimeOffset time) => time.AddDays(1);

    public static bool Not(bool bit) => !bit;

    public static long Keep(long value)
    {
        _kept = value;
        return value;
    }

    public static long Kept(long otherwise) => _kept ?? otherwise;

    public static int Fails(int value) => throw new InvalidOperationException($"no {value}");

    public static object Nested(int levels)
    {
        object inner = 1;
        for (var level = 0; level < levels; level++) inner = new[] { inner };
        return JsonSerializer.SerializeToElement(inner, new JsonSerializerOptions { MaxDepth = levels + 1 });
    }

    public static int Length(JsonElement value) => value.GetArrayLength();

    public static int Hangs(int value)
    {
        new ManualResetEventSlim(false).Wait();
        return value;
    }

    public static int Fills(int megabytes) => new byte[megabytes << 20].Length;

    public static async Task<int> Later(int value) => await Task.FromResult(value);

    /// <summary>Two bytes, big-endian: tenths of a degree.</summary>
    public static string Frame(byte[] body) =>
        body.Length == 2
            ? $$"""{"t":{{((body[0] << 8) | body[1]) / 10.0}}}"""
            : throw new FormatException("Not 2 bytes.");

    public static string HangsOrNot(byte[] body)
    {
        if (body is [1]) new ManualResetEventSlim(false).Wait();
        return $$"""{"n":{{new byte[body.Length << 20].Length >> 20}}}""";
    }

    public static byte[] Breaks(byte[] body) =>
        body.Length == 1 ? throw new TimeZoneNotFoundException($"no {body[0]}") : "{}"u8.ToArray();

    public static byte[] Typed(ReadOnlyMemory<byte> body, string contentType) =>
        Encoding.UTF8.GetBytes($$"""[{"type":"{{contentType}}","n":{{body.Length}}}]""");
}
