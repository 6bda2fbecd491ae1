using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Millrace.Cql.Wire;
using Millrace.TestKit;

namespace Millrace.Cql.Tests.Server;

/// <summary>Where those go on who have waited for an answer, and that none of them holds up the others.</summary>
[TestFixture(false)]
[TestFixture(true)]
public class ContinuationTests(bool overTls)
{
    private const string Statement = "SELECT 1";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Who_does_little_goes_on_where_the_answer_was_read_and_who_computes_goes_on_in_the_pool()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { IsSecure = overTls };
        await using var session = await server.ConnectAsync();

        await ReachAsync(session, IsReader, TimeSpan.Zero);
        await ReachAsync(session, () => Thread.CurrentThread.IsThreadPoolThread, TimeSpan.FromMilliseconds(1));
        await ReachAsync(session, IsReader, TimeSpan.Zero);
    }

    [Test]
    public async Task Who_blocks_where_answers_are_read_holds_up_nobody()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { IsSecure = overTls };
        await using var session = await server.ConnectAsync();
        using var release = new ManualResetEventSlim();
        var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var blocking = BlockAsync();
        await blocked.Task.WaitAsync(Patience);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++) await session.ExecuteAsync(Statement).ConfigureAwait(false);
        }))).WaitAsync(Patience);

        Assert.That(blocking.IsCompleted, Is.False);
        release.Set();
        Assert.That(await blocking.WaitAsync(Patience), Is.True);

        async Task<bool> BlockAsync()
        {
            var released = await ReachAsync(session, IsReader, TimeSpan.Zero, () =>
            {
                blocked.SetResult();
                return release.Wait(Patience);
            }).ConfigureAwait(false);
            await session.ExecuteAsync(Statement).ConfigureAwait(false);
            return released;
        }
    }

    [Test]
    public async Task Who_blocks_for_another_answer_gets_it()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { IsSecure = overTls };
        await using var session = await server.ConnectAsync();

        Assert.That(await ReachAsync(session, IsReader, TimeSpan.Zero,
            () => session.ExecuteAsync(Statement).AsTask().Wait(Patience)), Is.True);
        await session.ExecuteAsync(Statement);
    }

    [Test]
    public async Task Who_blocks_for_the_end_of_the_session_sees_it()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { IsSecure = overTls };
        var session = await server.ConnectAsync();

        Assert.That(await ReachAsync(session, IsReader, TimeSpan.Zero,
            () => session.DisposeAsync().AsTask().Wait(Patience)), Is.True);
    }

    [Test]
    public async Task The_thread_that_reads_ends_with_the_session_and_who_waits_is_told_so()
    {
        await using var server = new FakeServer(
            (c, r) => r.Opcode == Opcode.Query && r.Text != Statement ? Task.CompletedTask : c.VoidAsync(r))
        { IsSecure = overTls };
        var session = await server.ConnectAsync();
        var reader = await ReaderAsync(session);
        var waiting = session.ExecuteAsync("SELECT 2").AsTask();

        await session.DisposeAsync().AsTask().WaitAsync(Patience);

        Assert.That(reader.Join(Patience), Is.True);
        Assert.That(Assert.ThrowsAsync<CqlException>(() => waiting.WaitAsync(Patience))!.Code, Is.EqualTo("CQ-9014"));
    }

    [Test]
    public async Task The_thread_that_reads_ends_when_the_node_closes_the_connection_and_another_reads_the_next()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { IsSecure = overTls };
        await using var session = await server.ConnectAsync();
        var reader = await ReaderAsync(session);

        server.Fail();

        Assert.That(reader.Join(Patience), Is.True);
        await Eventually.TrueAsync(() => !session.Nodes[0].IsUp, "it is gone");
        server.Recover();
        await Eventually.TrueAsync(() => session.Nodes[0].IsUp, "it is connected to again");
        Assert.That(await ReaderAsync(session), Is.Not.SameAs(reader));
    }

    [Test]
    public async Task What_those_send_whose_answers_came_together_leaves_in_one_frame()
    {
        const int many = 32, rounds = 1_000;
        var held = new List<(FakeConnection Connection, FakeRequest Request)>();
        var frames = new HashSet<int>();
        await using var server = new FakeServer((c, r) =>
        {
            if (r.Opcode != Opcode.Query) return c.VoidAsync(r);
            frames.Add(c.Frames);
            held.Add((c, r));
            if (held.Count < many) return Task.CompletedTask;
            var answers = held.SelectMany(one => c.Encode(
                one.Request.Header.Stream, Opcode.Result, body => body.Int(1))).ToArray();
            held.Clear();
            return c.SendRawAsync(answers);
        })
        { IsSecure = overTls };
        await using var session = await server.ConnectAsync();

        // At first, and on a machine that has much to do, they are too slow to go on where they are read.
        await Eventually.TrueAsync(async () =>
        {
            frames.Clear();
            await Task.WhenAll(Enumerable.Range(0, many).Select(_ => RunAsync())).WaitAsync(Patience);
            return frames.Count < rounds + many;
        }, () => $"one frame a round, of {rounds}: {frames.Count}");

        async Task RunAsync()
        {
            for (var i = 0; i < rounds; i++) await session.ExecuteAsync(Statement).ConfigureAwait(false);
        }
    }

    [Test]
    public async Task A_node_that_sends_a_byte_at_a_time_is_understood()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r)) { IsSecure = overTls, WriteBytesMax = 1 };
        await using var session = await server.ConnectAsync();

        for (var i = 0; i < 20; i++) Assert.That((await session.ExecuteAsync(Statement)).Count, Is.Zero);
    }

    [Test]
    public async Task What_fills_the_sockets_both_ways_arrives_whole()
    {
        var blob = new byte[100_000];
        new Random(1).NextBytes(blob);
        await using var server = new FakeServer((c, r) => c.ReplyAsync(r, Opcode.Result,
            RingRows.Rows([("b", new CqlType(CqlTypeCode.Blob))], [[r.Body.AsSpan().IndexOf(blob) < 0 ? [] : blob]])))
        { IsSecure = overTls };
        await using var session = await server.ConnectAsync();

        var read = await Task.WhenAll(Enumerable.Range(0, 64).Select(
            _ => session.ExecuteAsync("SELECT b FROM t WHERE b = ?", blob).AsTask())).WaitAsync(Patience);

        Assert.That(read.Select(rows => rows[0].Get<byte[]>(0)), Is.All.EqualTo(blob));
    }

    [Test]
    public async Task A_node_that_takes_no_connection_is_given_up_in_time()
    {
        // Linux answers nothing to who comes when as many wait as may.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        var endPoint = (IPEndPoint)full.LocalEndPoint!;
        using var waiting = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await waiting.ConnectAsync(endPoint);
        var options = new CqlOptions
        {
            ContactPoints = [endPoint.ToString()],
            Port = endPoint.Port,
            ConnectTimeout = TimeSpan.FromMilliseconds(300),
            Tls = overTls ? _ => FakeTls.Client : null,
        };
        var watch = Stopwatch.StartNew();

        var late = Assert.ThrowsAsync<CqlException>(() => CqlSession.ConnectAsync(options));

        Assert.That(late!.Message, Does.Contain("did not answer in 0.3 s"));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(10)));
    }

    private static Task<Thread> ReaderAsync(CqlSession session) =>
        ReachAsync(session, IsReader, TimeSpan.Zero, () => Thread.CurrentThread);

    private static bool IsReader() => Thread.CurrentThread.Name?.StartsWith("cql ") == true;

    private static Task ReachAsync(CqlSession session, Func<bool> isThere, TimeSpan work) =>
        ReachAsync(session, isThere, work, () => true);

    /// <summary>
    /// Statements one after the other, each followed by so much work, until one goes on there; and what is then done
    /// there. Who waits for it goes on elsewhere: where an await that finds its task done goes on, nobody can say.
    /// </summary>
    private static Task<T> ReachAsync<T>(CqlSession session, Func<bool> isThere, TimeSpan work, Func<T> doThere)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = Task.Run(async () =>
        {
            try
            {
                var watch = Stopwatch.StartNew();
                do
                {
                    await session.ExecuteAsync(Statement).ConfigureAwait(false);
                    var begun = Stopwatch.GetTimestamp();
                    if (isThere()) done.SetResult(doThere());
                    else while (Stopwatch.GetElapsedTime(begun) < work) Thread.SpinWait(10);
                }
                while (!done.Task.IsCompleted && watch.Elapsed < Patience);
                done.TrySetException(new AssertionException($"None went on there in {Patience}."));
            }
            catch (Exception e)
            {
                done.TrySetException(e);
            }
        });
        return done.Task;
    }
}
