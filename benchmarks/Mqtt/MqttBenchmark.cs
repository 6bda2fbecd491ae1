using Millrace.TestKit;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>
/// Our gateway, which answers when a message is on the disk, and mosquitto, which keeps it in memory, under the same
/// load in turns: rates, connects, and what idle connections hold.
/// </summary>
internal static class MqttBenchmark
{
    private const int Rounds = 5;
    private const int ManyPartitions = 32;
    private static readonly TimeSpan WarmTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1);

    private static readonly (int Connections, bool Tls)[] Groups =
        [(100, false), (1_000, false), (100, true), (1_000, true)];

    private static readonly (int Window, int Qos)[] Loads = [(1, 0), (1, 1), (1, 2), (16, 0), (16, 1), (16, 2)];

    public static Task RunAsync(Report report)
    {
        if (!Mosquitto.IsThere)
        {
            report.Line("Not run: mosquitto is not installed.");
            return Task.CompletedTask;
        }

        var folder = Directory.CreateTempSubdirectory("millrace-bench-").FullName;
        try
        {
            var certificate = new BenchCertificate(folder);
            Rates(report, folder, certificate);
            ConnectBenchmark.Run(report, folder, certificate, Rounds);
            IdleBenchmark.Run(report, folder, certificate);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return Task.CompletedTask;
    }

    private static void Rates(Report report, string folder, BenchCertificate certificate)
    {
        report.Line($"Publishes with a body of {LoadPackets.BodyBytes} B over loopback, medians of {Rounds} rounds in");
        report.Line("turns, ± half the distance of the quartiles. Millrace answers QoS 1 and 2 after the record's");
        report.Line("fdatasync; mosquitto keeps nothing, and lets everyone in. QoS 0: taken when a PINGREQ behind the");
        report.Line("window is answered. CPU: the server's process, user and system, a message. Generator: the cores");
        report.Line("that it took while it loaded Millrace; it has one thread.");
        report.Line();
        Rates(report, folder, certificate, Groups);
        report.Line($"The same with a log of {ManyPartitions} partitions, where 4 are the default.");
        report.Line();
        Rates(report, folder, certificate, [(100, false)], $"EventLog:Partitions={ManyPartitions}");
    }

    private static void Rates(Report report, string folder, BenchCertificate certificate,
        (int Connections, bool Tls)[] groups, params string[] settings)
    {
        report.Line("| connections | TLS | window | QoS | Millrace /s | mosquitto /s | ratio | CPU us, Millrace "
            + "| CPU us, mosquitto | generator |");
        report.Line("|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        using var ours = new GatewayServer("Millrace", certificate, settings);
        using var peer = new Mosquitto(folder, certificate);
        foreach (var (connections, tls) in groups)
        {
            using var toOurs = new LoadTarget(ours, tls, connections);
            using var toPeer = new LoadTarget(peer, tls, connections);
            foreach (var (window, qos) in Loads)
                report.Line($"| {connections:n0} | {(tls ? "yes" : "no")} | {window} | {qos} "
                    + Measure(toOurs, toPeer, qos, window));
        }

        report.Line();
    }

    /// <summary>The rest of a row: rates and CPU of both, in turns.</summary>
    public static string Measure(LoadTarget ours, LoadTarget peer, int qos, int window)
    {
        if (!ours.Grants(qos)) return "| not granted | | | | | |";
        Samples rate = new(), peerRate = new(), ratio = new(), cpu = new(), peerCpu = new(), generator = new();
        ours.Measure(qos, window, WarmTime);
        peer.Measure(qos, window, WarmTime);
        for (var round = 0; round < Rounds; round++)
        {
            var one = ours.Measure(qos, window, RoundTime);
            var other = peer.Measure(qos, window, RoundTime);
            rate.Add(one.PerSecond);
            peerRate.Add(other.PerSecond);
            ratio.Add(one.PerSecond / other.PerSecond);
            cpu.Add(one.CpuUs);
            peerCpu.Add(other.CpuUs);
            generator.Add(one.GeneratorCores);
        }

        return $"| {rate.Median:n0} ±{rate.Spread:p0} | {peerRate.Median:n0} ±{peerRate.Spread:p0} "
            + $"| {ratio.Median:n2} ±{ratio.Spread:p0} | {cpu.Median:n2} | {peerCpu.Median:n2} "
            + $"| {generator.Median:n2} |";
    }
}
