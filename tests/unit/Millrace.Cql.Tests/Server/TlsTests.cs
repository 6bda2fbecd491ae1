using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Millrace.Cql.Wire;

namespace Millrace.Cql.Tests.Server;

public class TlsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Over_TLS_it_speaks_as_without_and_a_certificate_that_it_does_not_trust_is_refused()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { IsSecure = true };

        await using (var session = await server.ConnectAsync())
            Assert.That((await session.ExecuteAsync("SELECT 1")).Count, Is.Zero);

        var refused = Assert.ThrowsAsync<CqlException>(() => server.ConnectAsync(
            o => o.Tls = node => new SslClientAuthenticationOptions { TargetHost = node.Address.ToString() }));
        Assert.That(refused!.Code, Is.EqualTo("CQ-9002"));
    }

    [TestCase(SslProtocols.Tls12)]
    [TestCase(SslProtocols.Tls13)]
    public async Task A_node_that_asks_for_a_certificate_and_gets_none_is_told_as_that(SslProtocols version)
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r))
        {
            IsSecure = true,
            Secure = async stream =>
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificate = FakeTls.Certificate,
                    ClientCertificateRequired = true,
                    EnabledSslProtocols = version,
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
                });
                return tls;
            },
        };

        var refused = Assert.ThrowsAsync<CqlException>(() => server.ConnectAsync());
        Assert.That(refused!.Code, Is.EqualTo("CQ-9002"));
        Assert.That(refused.Error.Detail, Does.Contain("certificate"));
    }

    [TestCase(0)]
    [TestCase(1)]
    public async Task A_node_that_hangs_in_the_handshake_is_given_up_in_time(int answered)
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r))
        {
            IsSecure = true,
            Secure = async stream =>
            {
                // The head of a record that never comes whole.
                await stream.WriteAsync(new byte[] { 22, 3, 3, 0, 100 }.AsMemory(0, answered * 5));
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
                return stream;
            },
        };
        var watch = Stopwatch.StartNew();

        var late = Assert.ThrowsAsync<CqlException>(() => server.ConnectAsync(
            o => o.ConnectTimeout = TimeSpan.FromMilliseconds(300)).WaitAsync(Patience));

        Assert.That(late!.Code, Is.EqualTo("CQ-9002"));
        Assert.That(late.Error.Detail, Is.EqualTo("It did not answer in 0.3 s."));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(10)));
    }

    [Test]
    public async Task Who_gives_up_while_a_node_hangs_in_the_handshake_is_let_go()
    {
        using var cancel = new CancellationTokenSource();
        await using var server = new FakeServer((c, r) => c.VoidAsync(r))
        {
            IsSecure = true,
            Secure = async stream =>
            {
                await cancel.CancelAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
                return stream;
            },
        };
        var options = server.Options;
        options.ConnectTimeout = TimeSpan.FromMinutes(1);

        Assert.CatchAsync<OperationCanceledException>(
            () => CqlSession.ConnectAsync(options, cancel.Token).WaitAsync(Patience));
    }

    [Test]
    public async Task A_node_that_closes_in_the_handshake_is_told_as_one_that_cannot_be_reached()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r))
        {
            IsSecure = true,
            Secure = async stream =>
            {
                await stream.ReadAtLeastAsync(new byte[1 << 16], 1);
                await stream.DisposeAsync();
                throw new IOException("The test has closed it.");
            },
        };

        var refused = Assert.ThrowsAsync<CqlException>(() => server.ConnectAsync().WaitAsync(Patience));

        Assert.That(refused!.Code, Is.EqualTo("CQ-9002"));
        Assert.That(refused.Error.Detail, Does.Contain("EOF"));
    }

    [Test]
    public async Task A_connection_to_a_node_that_is_not_trusted_is_closed()
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer((c, r) => c.VoidAsync(r))
        {
            Secure = async stream =>
            {
                try
                {
                    await FakeTls.ServeAsync(stream);
                    while (await stream.ReadAsync(new byte[1 << 10]) > 0)
                    {
                    }
                }
                finally
                {
                    closed.SetResult();
                }

                return stream;
            },
        };

        Assert.CatchAsync<CqlException>(() => server.ConnectAsync(
            o => o.Tls = _ => new SslClientAuthenticationOptions { TargetHost = "elsewhere.test" }));
        await closed.Task.WaitAsync(Patience);
    }

    /// <summary>What the first is followed by may be what the node waits for with the rest.</summary>
    [Test]
    public async Task An_answer_goes_on_though_only_a_part_has_come_of_the_record_behind_it()
    {
        var below = new ConcurrentQueue<HeldStream>();
        FakeRequest? first = null;
        await using var server = new FakeServer(async (c, r) =>
        {
            if (r.Opcode == Opcode.Query && r.Text == "SELECT 1")
            {
                first = r;
                return;
            }

            if (r.Opcode == Opcode.Query && r.Text == "SELECT 2")
            {
                foreach (var one in below) one.Holds = true;
                await c.VoidAsync(r);
                var stream = below.Single(one => one.Count > 0);
                var whole = stream.Count;
                await c.VoidAsync(first!);
                await stream.SendAsync((whole + stream.Count) / 2);
                return;
            }

            foreach (var one in below) await one.EndAsync();
            await c.VoidAsync(r);
        })
        {
            IsSecure = true,
            Secure = stream =>
            {
                var held = new HeldStream(((NetworkStream)stream).Socket);
                below.Enqueue(held);
                return FakeTls.ServeAsync(held);
            },
        };
        await using var session = await server.ConnectAsync(o => o.RequestTimeout = Patience);

        var behind = session.ExecuteAsync("SELECT 1").AsTask();
        await session.ExecuteAsync("SELECT 2");
        Assert.That(behind.IsCompleted, Is.False);
        await session.ExecuteAsync("SELECT 3");
        Assert.That((await behind).Count, Is.Zero);
    }
}
