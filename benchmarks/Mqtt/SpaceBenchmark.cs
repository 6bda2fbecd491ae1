using System.Buffers;
using System.Diagnostics;
using Millrace.Gateway.Sockets;
using Millrace.Mqtt;
using Millrace.Mqtt.Codec;
using Millrace.Mqtt.Packets;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>From one device to others through a topic space, beside mosquitto under the same load in turns.</summary>
internal static class SpaceBenchmark
{
    private const int Rounds = 5;
    private const int Window = 64;
    private const string Topic = "bench/t";
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1);

    private static readonly string[] Settings =
    [
        "Gateway:TopicSpaces:Enabled=true", "Gateway:TopicSpaces:Spaces:0:Name=bench",
        "Gateway:TopicSpaces:Spaces:0:Publish:0:Filter=bench/#",
        "Gateway:TopicSpaces:Spaces:0:Publish:0:Everyone=true",
        "Gateway:TopicSpaces:Spaces:0:Subscribe:0:Filter=bench/#",
        "Gateway:TopicSpaces:Spaces:0:Subscribe:0:Everyone=true",
        "Gateway:Limits:Device:MessagesPerSecond=0", "Gateway:Limits:Device:BytesPerSecond=0",
    ];

    public static Task RunAsync(Report report)
    {
        if (!Mosquitto.IsThere)
        {
            report.Line("Not run: mosquitto is not installed.");
            return Task.CompletedTask;
        }

        report.Line($"One device publishes {Window} messages of {LoadPackets.BodyBytes} B, and the next {Window} when");
        report.Line("all subscribers have them and, with QoS 1, they are acknowledged. Sessions are clean: both keep");
        report.Line($"messages in memory alone. Medians of {Rounds} rounds in turns, ± half the distance of the");
        report.Line("quartiles. CPU: the server's process, user and system, a delivery.");
        report.Line();
        report.Line("| subscribers | QoS | Millrace, deliveries/s | mosquitto /s | ratio | CPU us, Millrace "
            + "| CPU us, mosquitto |");
        report.Line("|---:|---:|---:|---:|---:|---:|---:|");
        var folder = Directory.CreateTempSubdirectory("millrace-bench-").FullName;
        try
        {
            var certificate = new BenchCertificate(folder);
            using var ours = new GatewayServer("Millrace", certificate, Settings);
            using var peer = new Mosquitto(folder, certificate);
            foreach (var subscribers in new[] { 1, 100 })
                foreach (var qos in new[] { 0, 1 })
                    report.Line($"| {subscribers} | {qos} {Measure(ours, peer, subscribers, qos)}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return Task.CompletedTask;
    }

    private static string Measure(ServerProcess ours, ServerProcess peer, int subscribers, int qos)
    {
        Samples rate = new(), peerRate = new(), ratio = new(), cpu = new(), peerCpu = new();
        using var toOurs = new Fanout(ours, subscribers, qos);
        using var toPeer = new Fanout(peer, subscribers, qos);
        for (var round = 0; round <= Rounds; round++)
        {
            var one = toOurs.Run(RoundTime);
            var other = toPeer.Run(RoundTime);
            if (round == 0) continue;
            rate.Add(one.PerSecond);
            peerRate.Add(other.PerSecond);
            ratio.Add(one.PerSecond / other.PerSecond);
            cpu.Add(one.CpuUs);
            peerCpu.Add(other.CpuUs);
        }

        return $"| {rate.Median:n0} ±{rate.Spread:p0} | {peerRate.Median:n0} ±{peerRate.Spread:p0} "
            + $"| {ratio.Median:n2} ±{ratio.Spread:p0} | {cpu.Median:n2} | {peerCpu.Median:n2} |";
    }

    /// <summary>A publisher and its subscribers, all on the calling thread.</summary>
    private sealed class Fanout : IDisposable
    {
        private readonly ServerProcess _server;
        private readonly SpaceClient _publisher;
        private readonly SpaceClient[] _subscribers;
        private readonly SpaceClient?[] _byDescriptor = new SpaceClient?[65_536];
        private readonly Epoll _epoll = new();
        private readonly byte[] _window;
        private readonly int _qos;
        private long _sent;

        public Fanout(ServerProcess server, int subscribers, int qos)
        {
            (_server, _qos) = (server, qos);
            _publisher = new SpaceClient(server.Port, LoadGenerator.Device(0));
            _subscribers = [.. Enumerable.Range(1, subscribers)
                .Select(n => new SpaceClient(server.Port, LoadGenerator.Device(n)))];
            foreach (var each in _subscribers) each.Subscribe(Topic, qos);
            foreach (var each in _subscribers.Append(_publisher))
            {
                _byDescriptor[each.Descriptor] = each;
                if (!_epoll.TryWatch(each.Descriptor, Epoll.In)) throw new IOException("epoll_ctl failed.");
            }

            var packets = new ArrayBufferWriter<byte>();
            for (var i = 1; i <= Window; i++)
            {
                PacketWriter.Publish(packets, MqttVersion.V311, new PublishPacket
                {
                    Qos = qos,
                    PacketId = (ushort)(qos == 0 ? 0 : i),
                    Topic = System.Text.Encoding.UTF8.GetBytes(Topic),
                    Payload = new byte[LoadPackets.BodyBytes],
                });
            }

            _window = packets.WrittenSpan.ToArray();
        }

        /// <summary>Deliveries a second, and the server's processor time for one.</summary>
        public (double PerSecond, double CpuUs) Run(TimeSpan time)
        {
            var (started, cpu, before) = (Stopwatch.GetTimestamp(), _server.CpuSeconds(), _sent);
            while (Stopwatch.GetElapsedTime(started) < time)
            {
                _publisher.Send(_window);
                _sent += Window;
                while (!IsDone) TakeReady();
            }

            var deliveries = (double)(_sent - before) * _subscribers.Length;
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            return (deliveries / seconds, (_server.CpuSeconds() - cpu) / deliveries * 1e6);
        }

        public void Dispose()
        {
            foreach (var each in _subscribers.Append(_publisher)) each.Dispose();
            _epoll.Dispose();
        }

        private bool IsDone => (_qos == 0 || _publisher.Acknowledged == _sent)
            && Array.TrueForAll(_subscribers, each => each.Messages == _sent);

        private void TakeReady()
        {
            var ready = _epoll.Wait(timeoutMs: 30_000);
            if (ready == 0) throw new TimeoutException($"{_server.Name} has not delivered all messages.");
            for (var i = 0; i < ready; i++) _byDescriptor[_epoll.Ready(i).Descriptor]!.Take();
        }
    }
}
