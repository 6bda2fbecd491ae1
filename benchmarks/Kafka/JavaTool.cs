using System.Diagnostics;
using System.Globalization;

namespace Millrace.Benchmarks.Kafka;

/// <summary>The performance tools of the Java client, as processes; KAFKA_CLASSPATH says where they are.</summary>
internal static class JavaTool
{
    public static Task<Turn?> ProduceAsync(string servers, string topic, int records) => RunAsync(records,
        "org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", $"{records}",
        "--record-size", $"{KafkaBenchmark.BodyBytes}", "--throughput", "-1", "--producer-props",
        $"bootstrap.servers={servers}", "acks=all", "enable.idempotence=true", "compression.type=lz4", "linger.ms=0");

    public static Task<Turn?> ConsumeAsync(string servers, string topic, int records) => RunAsync(records,
        "org.apache.kafka.tools.ConsumerPerformance", "--bootstrap-server", servers, "--topic", topic,
        "--num-records", $"{records}", "--group", $"bench{Environment.TickCount64}");

    /// <summary>Its start is not counted in the time, which the tool measures itself, and is in the CPU.</summary>
    private static async Task<Turn?> RunAsync(int records, string tool, params string[] arguments)
    {
        if (Environment.GetEnvironmentVariable("KAFKA_CLASSPATH") is not { Length: > 0 } classes) return null;
        var command = string.Join(' ', new[] { "java", "-Xmx512m", "-cp", classes, tool }.Concat(arguments)
            .Select(word => $"'{word}'"));
        using var process = Process.Start(new ProcessStartInfo("bash",
            ["-c", $"TIMEFORMAT='cpu %U %S'; time {command}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        var cpu = errors.Split('\n').Last(line => line.StartsWith("cpu ", StringComparison.Ordinal)).Split(' ');
        return new Turn(Rate(await output),
            (Number(cpu[1]) + Number(cpu[2])) * 1_000_000 / records);
    }

    /// <summary>"400000 records sent, 123456.7 records/sec (...", or the tool's table with nMsg.sec.</summary>
    private static double Rate(string output)
    {
        var last = output.Trim().Split('\n')[^1];
        var words = last.Split(' ');
        var at = Array.IndexOf(words, "records/sec");
        return at > 0 ? Number(words[at - 1]) : Number(last.Split(',')[5]);
    }

    private static double Number(string text) => double.Parse(text.Trim(), CultureInfo.InvariantCulture);
}
