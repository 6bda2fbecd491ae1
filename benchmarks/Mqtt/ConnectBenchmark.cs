using Millrace.TestKit;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>How many devices a second come in, when they all come at once.</summary>
internal static class ConnectBenchmark
{
    private const int Connections = 2_000;

    public static void Run(Report report, string folder, BenchCertificate certificate, int rounds)
    {
        report.Line($"{Connections:n0} devices connect, many at a time, from TCP to CONNACK. Millrace looks at each");
        report.Line("one's key and writes each connect to its log; mosquitto lets everyone in.");
        report.Line();
        report.Line("| TLS | Millrace /s | mosquitto /s | ratio | CPU us, Millrace | CPU us, mosquitto |");
        report.Line("|---|---:|---:|---:|---:|---:|");
        using var ours = new GatewayServer("Millrace", certificate);
        using var peer = new Mosquitto(folder, certificate);
        foreach (var tls in new[] { false, true })
        {
            Samples rate = new(), peerRate = new(), ratio = new(), cpu = new(), peerCpu = new();
            for (var round = 0; round <= rounds; round++)
            {
                var one = Once(ours, tls);
                var other = Once(peer, tls);
                if (round == 0) continue;
                rate.Add(one.Rate);
                peerRate.Add(other.Rate);
                ratio.Add(one.Rate / other.Rate);
                cpu.Add(one.CpuUs);
                peerCpu.Add(other.CpuUs);
            }

            report.Line($"| {(tls ? "yes" : "no")} | {rate.Median:n0} ±{rate.Spread:p0} "
                + $"| {peerRate.Median:n0} ±{peerRate.Spread:p0} | {ratio.Median:n2} ±{ratio.Spread:p0} "
                + $"| {cpu.Median:n0} | {peerCpu.Median:n0} |");
        }

        report.Line();
    }

    private static (double Rate, double CpuUs) Once(ServerProcess server, bool tls)
    {
        using var load = new LoadGenerator();
        var cpu = server.CpuSeconds();
        var rate = load.Connect(tls ? server.TlsPort : server.Port, tls, Connections);
        return (rate, (server.CpuSeconds() - cpu) / Connections * 1e6);
    }
}
