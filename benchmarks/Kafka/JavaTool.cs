namespace Millrace.Benchmarks.Kafka;

/// <summary>The performance tools of the Java client.</summary>
internal static class JavaTool
{
    public static Task<Turn?> ProduceAsync(string servers, string topic, int records) => RunAsync(records,
        "produce", "--topic", topic, "--num-records", $"{records}",
        "--record-size", $"{KafkaBenchmark.BodyBytes}", "--throughput", "-1", "--producer-props",
        $"bootstrap.servers={servers}", "acks=all", "enable.idempotence=true", "compression.type=lz4", "linger.ms=0");

    public static Task<Turn?> ConsumeAsync(string servers, string topic, int records) => RunAsync(records,
        "consume", "--bootstrap-server", servers, "--topic", topic,
        "--num-records", $"{records}", "--group", $"bench{Environment.TickCount64}");

    /// <summary>Its start is not counted in the time, which the tool measures itself, and is in the CPU.</summary>
    private static async Task<Turn?> RunAsync(int records, params string[] arguments) =>
        await Peer.RunAsync(arguments) is { } run
            ? new Turn(Rate(run.Output), run.CpuSeconds * 1_000_000 / records) : null;

    /// <summary>"400000 records sent, 123456.7 records/sec (...", or the tool's table with nMsg.sec.</summary>
    private static double Rate(string output)
    {
        var last = output.Trim().Split('\n')[^1];
        var words = last.Split(' ');
        var at = Array.IndexOf(words, "records/sec");
        return Peer.Number(at > 0 ? words[at - 1] : last.Split(',')[5]);
    }
}
