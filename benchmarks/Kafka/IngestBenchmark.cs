using Millrace.Benchmarks.Mqtt;
using Millrace.EventLog.Kafka;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Kafka;

/// <summary>
/// Our gateway, which answers when Kafka has acknowledged a message, against mosquitto, which keeps it in memory, under
/// the same load in turns.
/// </summary>
internal static class IngestBenchmark
{
    private const int Connections = 100;
    private static readonly int[] Windows = [1, 16];

    /// <summary>Of a hub on a small cluster, and by default.</summary>
    private static readonly int[] PartitionCounts = [4, 32];

    /// <summary>A broker is a JVM, which is several times slower in its first million records.</summary>
    private static readonly TimeSpan BrokerWarmTime = TimeSpan.FromSeconds(15);

    public static void Run(Report report, KafkaLogOptions kafka)
    {
        report.Line();
        if (!Mosquitto.IsThere)
        {
            report.Line("Ingest not run: mosquitto is not installed.");
            return;
        }

        report.Line($"Publishes of QoS 1 with a body of {LoadPackets.BodyBytes} B over plain TCP, answered when Kafka");
        report.Line($"has acknowledged them (acks=all, linger {kafka.Producer.Linger.TotalMilliseconds} ms).");
        report.Line("Brokers, gateway, mosquitto and generator share the machine. CPU: that of the gateway");
        report.Line("or of mosquitto, a message; the brokers' comes on top of ours.");
        report.Line();
        report.Line("| partitions | connections | window | Millrace /s | mosquitto /s | ratio | CPU us, Millrace "
            + "| CPU us, mosquitto | generator |");
        report.Line("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        var folder = Directory.CreateTempSubdirectory("millrace-bench-").FullName;
        try
        {
            var certificate = new BenchCertificate(folder);
            using var peer = new Mosquitto(folder, certificate);
            using var toPeer = new LoadTarget(peer, tls: false, Connections);
            foreach (var partitions in PartitionCounts)
            {
                using var ours = new GatewayServer(
                    "Millrace", certificate, KafkaBenchmark.Settings(kafka, $"in{partitions}.", partitions));
                using var toOurs = new LoadTarget(ours, tls: false, Connections);
                toOurs.Measure(qos: 1, window: 16, BrokerWarmTime);
                foreach (var window in Windows)
                {
                    var row = MqttBenchmark.Measure(toOurs, toPeer, qos: 1, window);
                    report.Line($"| {partitions} | {Connections} | {window} {row}");
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
