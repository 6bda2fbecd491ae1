using Millrace.TestKit;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>What connections hold that do nothing. Each case has a process that has not seen anything else.</summary>
internal static class IdleBenchmark
{
    private const int Warm = 2_000;
    private const int Plain = GatewayServer.Devices;
    private const int Secure = 3_000;
    private static readonly string[] OnKestrel = ["Gateway:Mqtt:EventLoops=0", "Gateway:Mqtts:EventLoops=0"];

    public static void Run(Report report, string folder, BenchCertificate certificate)
    {
        report.Line($"Idle connections: {Plain:n0} plain, {Secure:n0} TLS, each of a device of its own. Memory of the");
        report.Line("process a connection, after a collection; what the kernel keeps for a socket is not counted.");
        report.Line();
        report.Line("| server | TLS | resident, B | anonymous, B | managed, B |");
        report.Line("|---|---|---:|---:|---:|");
        foreach (var tls in new[] { false, true })
        {
            Measure(report, () => new GatewayServer("Millrace, own loops", certificate), tls);
            Measure(report, () => new GatewayServer("Millrace, Kestrel", certificate, OnKestrel), tls);
            Measure(report, () => new Mosquitto(folder, certificate), tls);
        }

        report.Line();
    }

    private static void Measure(Report report, Func<ServerProcess> start, bool tls)
    {
        using var server = start();
        var port = tls ? server.TlsPort : server.Port;
        using (var warm = new LoadGenerator()) warm.Connect(port, tls, Warm);
        var managed = server.Collect();
        var before = server.Memory();
        using var idle = new LoadGenerator();
        var count = tls ? Secure : Plain;
        idle.Connect(port, tls, count);
        managed = server.Collect() - managed;
        var after = server.Memory();
        report.Line($"| {server.Name} | {(tls ? "yes" : "no")} | {(after.Resident - before.Resident) / count:n0} "
            + $"| {(after.Anonymous - before.Anonymous) / count:n0} | {managed / count:n0} |");
    }
}
