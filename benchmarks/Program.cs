using Millrace.Benchmarks.Alert;
using Millrace.Benchmarks.Archive;
using Millrace.Benchmarks.Cold;
using Millrace.Benchmarks.Cql;
using Millrace.Benchmarks.Devices;
using Millrace.Benchmarks.EventLog;
using Millrace.Benchmarks.Kafka;
using Millrace.Benchmarks.Mqtt;
using Millrace.Benchmarks.Pipeline;
using Millrace.Benchmarks.Saql;
using Millrace.Benchmarks.Warm;
using Millrace.TestKit;

// Verb -> benchmark. Each prints ratios against a peer of the same run, and writes benchmarks/results/VERB.md.
var benchmarks = new SortedDictionary<string, Func<Report, Task>>
{
    ["alert"] = AlertBenchmark.RunAsync,
    ["archive"] = ArchiveBenchmark.RunAsync,
    ["cold"] = ColdBenchmark.RunAsync,
    ["devices"] = DevicesBenchmark.RunAsync,
    ["kafka"] = KafkaBenchmark.RunAsync,
    ["cql"] = CqlBenchmark.RunAsync,
    ["log"] = LocalLogBenchmark.RunAsync,
    ["mqtt"] = MqttBenchmark.RunAsync,
    ["pipeline"] = PipelineBenchmark.RunAsync,
    ["saql"] = SaqlBenchmark.RunAsync,
    ["warm"] = WarmBenchmark.RunAsync,
};

if (args is [GatewayServer.Verb, var folder, .. var settings])
{
    await GatewayServer.ServeAsync(folder, settings);
    return 0;
}

if (args is ["all"]) args = [.. benchmarks.Keys];
if (args.Length == 0 || args.Any(verb => !benchmarks.ContainsKey(verb)))
{
    var verbs = string.Join(" | ", benchmarks.Keys);
    Console.Error.WriteLine($"dotnet run -c Release --project benchmarks -- all | {verbs}");
    return 2;
}

foreach (var verb in args)
{
    using var report = new Report(verb, $"Benchmark: {verb}");
    await benchmarks[verb](report);
}

return 0;
