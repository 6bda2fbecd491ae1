using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>Debian's mosquitto: anonymous, in memory, with the limits that would hold it back taken away.</summary>
internal sealed class Mosquitto : ServerProcess
{
    private const string Command = "/usr/sbin/mosquitto";

    public Mosquitto(string folder, BenchCertificate certificate) : base("mosquitto")
    {
        (Port, TlsPort) = (FreePort(), FreePort());
        var file = Path.Combine(folder, "mosquitto.conf");
        File.WriteAllText(file, $"""
            user root
            allow_anonymous true
            persistence false
            log_dest none
            set_tcp_nodelay true
            max_inflight_messages 0
            max_queued_messages 0
            listener {Port} 127.0.0.1
            listener {TlsPort} 127.0.0.1
            certfile {certificate.CertificateFile}
            keyfile {certificate.KeyFile}
            """);
        Start(new ProcessStartInfo(Command, ["-c", file]));
        WaitUntilItListens();
    }

    public static bool IsThere => File.Exists(Command);

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private void WaitUntilItListens()
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Connect(IPAddress.Loopback, TlsPort);
                return;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10))
            {
                Thread.Yield();
            }
        }
    }
}
