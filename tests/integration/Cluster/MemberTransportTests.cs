using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Millrace.Cluster;
using Millrace.Cluster.Transport;
using Millrace.Integration.Tests.Gateway;
using Millrace.TestKit;
using Millrace.TestKit.Network;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>Two systems of actors in one process, each reached by the other over loopback.</summary>
[TestFixture(false)]
[TestFixture(true)]
public class MemberTransportTests(bool hasCertificates)
{
    private const int Messages = 3_000;

    private TemporaryFolder _folder = null!;
    private MemberCertificate? _certificate;

    [SetUp]
    public void MakeCertificate()
    {
        _folder = new TemporaryFolder();
        if (!hasCertificates) return;
        var files = new Certificates(_folder.Path);
        _certificate = new MemberCertificate(new ClusterTlsOptions
        {
            CertificateFile = files.ServerCertificateFile,
            KeyFile = files.ServerKeyFile,
            CaFile = files.CaFile,
        });
    }

    [TearDown]
    public void Remove() => _folder.Dispose();

    [Test]
    public async Task What_is_told_arrives_whole_and_in_order_both_ways_and_again_after_one_has_restarted()
    {
        var ports = (One: FreePort.Next(), Other: FreePort.Next());
        using var one = System(ports.One);
        for (var life = 0; life < 2; life++)
        {
            using var other = System(ports.Other);
            other.ActorOf(Props.Create<Echo>(), "echo");
            var echo = one.ActorSelection($"{Scheme}://test@localhost:{ports.Other}/user/echo");
            await Eventually.TrueAsync(async () => await IsThereAsync(echo), "it answers", TimeSpan.FromSeconds(20));

            var got = new List<string>();
            var all = new TaskCompletionSource();
            var asking = one.ActorOf(Props.Create(() => new Collector(got, all, Messages)));
            var sent = Enumerable.Range(0, Messages).Select(Message).ToList();
            foreach (var message in sent) echo.Tell(message, asking);
            await all.Task.WaitAsync(TimeSpan.FromSeconds(60));
            Assert.That(got, Is.EqualTo(sent));
            await other.Terminate();
        }

        await one.Terminate();
    }

    [Test]
    public async Task Who_sends_no_frame_is_hung_up_on_and_others_are_still_served()
    {
        var (port, otherPort) = (FreePort.Next(), FreePort.Next());
        using var one = System(port);
        one.ActorOf(Props.Create<Echo>(), "echo");
        foreach (var first in (int[])[-1, MemberConnection.FrameMax + 1, int.MaxValue])
        {
            using var stranger = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await stranger.ConnectAsync(IPAddress.Loopback, port);
            var length = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, first);
            await stranger.SendAsync(length);
            using var late = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            var read = 1;
            try
            {
                // With TLS it is told in an alert why.
                while (read > 0) read = await stranger.ReceiveAsync(new byte[100], late.Token);
            }
            catch (SocketException)
            {
                read = 0;
            }

            Assert.That(read, Is.Zero, "it is hung up on");
        }

        using var other = System(otherPort);
        var echo = other.ActorSelection($"{Scheme}://test@localhost:{port}/user/echo");
        await Eventually.TrueAsync(async () => await IsThereAsync(echo), "it answers", TimeSpan.FromSeconds(20));
        await other.Terminate();
        await one.Terminate();
    }

    private string Scheme => $"akka.{MemberTransport.SchemeOf(hasCertificates)}";

    /// <summary>Of all lengths up to almost a frame's, so that reads end everywhere within them.</summary>
    private static string Message(int number)
    {
        var length = (number * 7919 % 300) + (number % 100 == 0 ? 110_000 : 0);
        return $"{number}:{new string((char)('a' + (number % 26)), length)}";
    }

    private static async Task<bool> IsThereAsync(ActorSelection echo)
    {
        try
        {
            return await echo.Ask<string>("there?", TimeSpan.FromSeconds(1)) == "there?";
        }
        catch (AskTimeoutException)
        {
            return false;
        }
    }

    private ActorSystem System(int port)
    {
        var config = ConfigurationFactory.ParseString($$"""
            akka {
              loglevel = WARNING
              stdout-loglevel = OFF
              actor.provider = remote
              remote {
                retry-gate-closed-for = 1s
                enabled-transports = [ "akka.remote.member" ]
                member.applied-adapters = []
                member.transport-protocol = tcp
                member.transport-class = "{{MemberTransport.TypeName}}"
              }
            }
            """);
        return ActorSystem.Create("test", ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config),
            new MemberTransportSetup
            {
                Endpoint = new IPEndPoint(IPAddress.Loopback, port),
                Host = "localhost",
                Certificate = _certificate,
                ConnectTimeMax = TimeSpan.FromSeconds(3),
            }));
    }

    private sealed class Echo : ReceiveActor
    {
        public Echo() => ReceiveAny(message => Sender.Tell(message));
    }

    private sealed class Collector : ReceiveActor
    {
        public Collector(List<string> got, TaskCompletionSource all, int count) => Receive<string>(message =>
        {
            got.Add(message);
            if (got.Count == count) all.SetResult();
        });
    }
}
