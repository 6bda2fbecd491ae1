using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Millrace.Gateway.Listeners;
using Millrace.Gateway.Sockets;
using Millrace.Gateway.Sockets.Tls;

namespace Millrace.Gateway.Tests.Sockets.Tls;

/// <summary>What only TLS knows.</summary>
[Platform("Linux")]
public class TlsSocketTests
{
    private const int Tls12 = 0x303, Tls13 = 0x304;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [TestCase(Tls12)]
    [TestCase(Tls13)]
    public async Task A_client_speaks_the_version_that_it_wants(int version)
    {
        await using var pair = new LoopPair();
        using var client = new RawTlsClient(pair.Client, version);
        Assert.That(await SecureAsync(pair, client, TestTls.Context), Is.Not.Null);
        await AnswersAsync(pair, client);
    }

    [Test]
    public async Task A_server_shows_what_stands_between_it_and_the_root_and_may_have_an_RSA_key()
    {
        var (root, between, server) = TestTls.NewChain();
        var context = new TlsContext(
            SslStreamCertificateContext.Create(server, [between, root], offline: true), new TlsListenerOptions(),
            TestTls.Metrics);
        await using var pair = new LoopPair();
        List<string> shown = [];
        await using var client = new SslStream(new NetworkStream(pair.Client), false, (_, certificate, chain, _) =>
        {
            shown = [certificate!.Subject, .. chain!.ChainPolicy.ExtraStore.Select(other => other.Subject)];
            return true;
        });
        var securing = TestTls.SecureAsync(pair.Socket, context);
        await client.AuthenticateAsClientAsync("localhost");
        Assert.That(await securing, Is.Not.Null);
        Assert.That(shown, Does.Contain("CN=leaf").And.Contain("CN=between"));
    }

    [Test]
    public async Task A_version_that_is_too_old_is_refused()
    {
        var context = TestTls.NewContext(new TlsListenerOptions { TlsMin = SslProtocols.Tls13 });
        await using var pair = new LoopPair();
        using var client = new RawTlsClient(pair.Client, Tls12);
        Assert.That(await SecureAsync(pair, client, context), Is.Null);
    }

    [TestCase(Tls12)]
    [TestCase(Tls13)]
    public async Task A_resumed_session_still_shows_the_clients_certificate(int version)
    {
        var context = TestTls.NewContext(new TlsListenerOptions());
        var device = TestTls.NewCertificate("device");
        nint session = 0;
        foreach (var isResumed in new[] { false, true })
        {
            await using var pair = new LoopPair();
            using var client = new RawTlsClient(pair.Client, version, isResumed ? null : device, session);
            var tls = await SecureAsync(pair, client, context);
            await AnswersAsync(pair, client);
            Assert.That(client.IsResumed, Is.EqualTo(isResumed));
            using var shown = tls!.PeerCertificate();
            Assert.That(shown?.RawData, Is.EqualTo(device.RawData));
            session = client.Session();
        }
    }

    [Test]
    public async Task A_ticket_is_worth_nothing_to_another_context()
    {
        nint session = 0;
        foreach (var isSecond in new[] { false, true })
        {
            await using var pair = new LoopPair();
            using var client = new RawTlsClient(
                pair.Client, Tls13, isSecond ? null : TestTls.NewCertificate("device"), session);
            var tls = await SecureAsync(pair, client, TestTls.NewContext(new TlsListenerOptions()));
            await AnswersAsync(pair, client);
            Assert.That(client.IsResumed, Is.False);
            Assert.That(tls!.PeerCertificate(), isSecond ? Is.Null : Is.Not.Null);
            session = client.Session();
        }
    }

    [Test]
    public async Task Who_is_not_asked_for_a_certificate_shows_none()
    {
        var context = TestTls.NewContext(new TlsListenerOptions { ClientCertificates = false });
        await using var pair = new LoopPair();
        using var client = new RawTlsClient(pair.Client, Tls13, TestTls.NewCertificate("device"));
        var tls = await SecureAsync(pair, client, context);
        Assert.That(tls!.PeerCertificate(), Is.Null);
    }

    [Test]
    public async Task Keys_may_change_on_the_way()
    {
        await using var pair = new LoopPair();
        using var client = new RawTlsClient(pair.Client, Tls13);
        await SecureAsync(pair, client, TestTls.Context);
        for (var i = 0; i < 3; i++)
        {
            Assert.That(await Task.Run(client.ChangeKeys));
            await AnswersAsync(pair, client);
        }
    }

    /// <summary>A read of the server holds nothing but what cost its sender more.</summary>
    [Test]
    public async Task A_flood_of_key_changes_holds_up_nobody_else_on_the_loop()
    {
        var loop = LoopPair.NewLoop();
        await using var pair = new LoopPair(loop: loop);
        using var client = new RawTlsClient(pair.Client, Tls13);
        await SecureAsync(pair, client, TestTls.Context);
        pair.Socket.LetIn();
        var reading = pair.Socket.Input.ReadAsync().AsTask();
        using var stop = new CancellationTokenSource();
        var changes = 0;
        var flood = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested && client.ChangeKeys()) changes++;
        });
        await using var honest = await LoopPair.OpenAsync(tls: true, loop: loop);
        honest.Socket.LetIn();
        for (var i = 0; i < 200; i++) await EchoAsync(honest);
        await stop.CancelAsync();
        await flood;
        Assert.That(changes, Is.Positive);
        Assert.That(reading.IsCompleted, Is.False, "nothing was said");
        pair.Client.Dispose();
        await reading.WaitAsync(Patience);
        await Task.Run(loop.Dispose);
    }

    [Test]
    public async Task A_client_may_not_renegotiate()
    {
        await using var pair = new LoopPair();
        using var client = new RawTlsClient(pair.Client, Tls12);
        await SecureAsync(pair, client, TestTls.Context);
        _ = pair.Socket.Input.ReadAsync().AsTask();
        Assert.That(await Task.Run(client.Renegotiate).WaitAsync(Patience), Is.False);
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(5)]
    [TestCase(40)]
    public async Task Garbage_in_the_stream_ends_it_for_both_directions(int recordHeader)
    {
        await using var pair = await LoopPair.OpenAsync(tls: true);
        var reading = pair.Socket.Input.ReadAsync().AsTask();
        byte[] garbage = [23, 3, 3, 0, 60, .. new byte[60]];
        await pair.Client.SendAsync(recordHeader == 0 ? new byte[64] : garbage);
        Assert.That((await reading.WaitAsync(Patience)).IsCompleted);
        var flush = await pair.Socket.Output.WriteAsync("to nobody"u8.ToArray());
        Assert.That(flush.IsCompleted);
    }

    [Test]
    public async Task A_client_that_closes_without_a_farewell_is_read_to_its_end_and_still_answered()
    {
        await using var pair = await LoopPair.OpenAsync(tls: true);
        await pair.SendAsync("last words"u8.ToArray());
        pair.Client.Shutdown(SocketShutdown.Send);
        var read = await pair.Socket.Input.ReadAsync();
        while (!read.IsCompleted)
        {
            pair.Socket.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await pair.Socket.Input.ReadAsync().AsTask().WaitAsync(Patience);
        }

        Assert.That(read.Buffer.ToArray(), Is.EqualTo("last words"u8.ToArray()));
        await pair.Socket.Output.WriteAsync("heard"u8.ToArray());
        pair.Socket.CompleteBoth();
        Assert.That(await pair.ReceiveAllAsync(), Is.EqualTo("heard"u8.ToArray()));
    }

    [TestCase(3)]
    [TestCase(20)]
    public async Task A_record_that_is_cut_off_ends_the_stream(int count)
    {
        await using var pair = await LoopPair.OpenAsync(tls: true);
        var reading = pair.Socket.Input.ReadAsync().AsTask();
        await pair.Client.SendAsync(new byte[] { 23, 3, 3, 0, 60 }.Concat(new byte[60]).Take(count).ToArray());
        pair.Client.Shutdown(SocketShutdown.Send);
        var read = await reading.WaitAsync(Patience);
        Assert.That((read.IsCompleted, read.Buffer.Length), Is.EqualTo((true, 0L)));
    }

    [Test]
    public async Task The_client_is_told_that_nothing_more_comes()
    {
        await using var pair = new LoopPair();
        using var client = new RawTlsClient(pair.Client, Tls13);
        await SecureAsync(pair, client, TestTls.Context);
        await pair.Socket.Output.WriteAsync("all"u8.ToArray());
        pair.Socket.CompleteBoth();
        var received = new byte[64];
        Assert.That(await Task.Run(() => client.Receive(received)), Is.EqualTo(3));
        Assert.That(await Task.Run(() => client.Receive(received)), Is.Zero);
        Assert.That(client.IsToldEnd);
    }

    [TestCase(100)]
    [TestCase(40_000)]
    public async Task What_comes_with_the_end_of_the_handshake_is_read(int count)
    {
        await using var pair = new LoopPair();
        await using var stream = new SslStream(new HoldingStream(pair.Client), false, (_, _, _, _) => true);
        var securing = TestTls.SecureAsync(pair.Socket, TestTls.Context);
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = SslProtocols.Tls13 });
        var bytes = Random(count);
        await stream.WriteAsync(bytes);
        await securing;
        await ReadAsync(pair, bytes);
    }

    [Test]
    public async Task A_record_that_is_larger_than_a_read_is_read_to_its_end()
    {
        await using var pair = await LoopPair.OpenAsync(tls: true);
        var bytes = Random(EventLoop.LightBytes * 7 / 2);
        for (var i = 0; i < 3; i++)
        {
            await pair.SendAsync(bytes);
            await ReadAsync(pair, bytes);
        }
    }

    [Test]
    public async Task A_record_for_which_there_is_no_room_beside_what_was_left_is_read_to_its_end()
    {
        await using var pair = await LoopPair.OpenAsync(tls: true);
        var bytes = Random(24_000);
        const int left = 8_000;
        await pair.SendAsync(bytes.AsMemory(0, left));
        for (var sent = left; ;)
        {
            var read = await pair.Socket.Input.ReadAsync().AsTask().WaitAsync(Patience);
            Assert.That(read.Buffer.FirstSpan.SequenceEqual(bytes.AsSpan(0, (int)read.Buffer.Length)));
            if (read.Buffer.Length == bytes.Length) break;
            pair.Socket.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.Buffer.Length != sent) continue;
            await pair.SendAsync(bytes.AsMemory(sent));
            sent = bytes.Length;
        }
    }

    private static byte[] Random(int count)
    {
        var bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    private static async Task ReadAsync(LoopPair pair, byte[] bytes)
    {
        var taken = 0;
        while (taken < bytes.Length)
        {
            var read = await pair.Socket.Input.ReadAsync().AsTask().WaitAsync(Patience);
            foreach (var part in read.Buffer)
            {
                Assert.That(part.Span.SequenceEqual(bytes.AsSpan(taken, part.Length)));
                taken += part.Length;
            }

            pair.Socket.Input.AdvanceTo(read.Buffer.End);
        }
    }

    [Test]
    public async Task Nothing_of_OpenSSL_is_left_when_sockets_have_closed()
    {
        for (var i = 0; i < 20; i++)
        {
            await using var pair = await LoopPair.OpenAsync(tls: true);
            Assert.That(pair.Tls!.IsFreed, Is.False, "while the socket may be used");
            if (i % 4 == 0) pair.Socket.Abort();
            if (i % 4 == 1) pair.Client.Close(timeout: 0);
            if (i % 4 == 2) await pair.Client.SendAsync("garbage"u8.ToArray());
            pair.Socket.CompleteBoth();
            await Millrace.TestKit.Eventually.TrueAsync(() => pair.Tls.IsFreed, "it is freed");
        }
    }

    private static async Task<TlsSession?> SecureAsync(LoopPair pair, RawTlsClient client, TlsContext context)
    {
        var securing = TestTls.SecureAsync(pair.Socket, context);
        await Task.Run(client.Connect).WaitAsync(Patience);
        return await securing.WaitAsync(Patience);
    }

    private static async Task AnswersAsync(LoopPair pair, RawTlsClient client)
    {
        Assert.That(await Task.Run(() => client.Send("ask"u8)), Is.EqualTo(3));
        var read = await pair.Socket.Input.ReadAsync().AsTask().WaitAsync(Patience);
        Assert.That(read.Buffer.ToArray(), Is.EqualTo("ask"u8.ToArray()));
        pair.Socket.Input.AdvanceTo(read.Buffer.End);
        await pair.Socket.Output.WriteAsync("answer"u8.ToArray());
        var answer = new byte[64];
        Assert.That(await Task.Run(() => client.Receive(answer)).WaitAsync(Patience), Is.EqualTo(6));
        Assert.That(answer.AsSpan(0, 6).SequenceEqual("answer"u8));
    }

    private static async Task EchoAsync(LoopPair pair)
    {
        await pair.SendAsync("ask"u8.ToArray());
        var read = await pair.Socket.Input.ReadAsync().AsTask().WaitAsync(Patience);
        pair.Socket.Input.AdvanceTo(read.Buffer.End);
    }

    /// <summary>Holds back the client's end of the handshake until it says something else.</summary>
    private sealed class HoldingStream(Socket socket) : NetworkStream(socket)
    {
        private readonly MemoryStream _held = new();
        private int _writes;

        public override async ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await _held.WriteAsync(buffer, cancellationToken);
            if (_writes++ == 1) return;
            await base.WriteAsync(_held.ToArray(), cancellationToken);
            _held.SetLength(0);
        }
    }
}
