using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Cql.Tests.Server;

/// <summary>Where those go on who have waited for an answer, and that none of them holds up the others.</summary>
public class ContinuationTests
{
    private const string Statement = "SELECT 1";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Who_does_little_goes_on_where_the_answer_was_read_and_who_computes_goes_on_in_the_pool()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r));
        await using var session = await server.ConnectAsync();

        await ReachAsync(session, IsReader, TimeSpan.Zero);
        await ReachAsync(session, () => Thread.CurrentThread.IsThreadPoolThread, TimeSpan.FromMilliseconds(1));
        await ReachAsync(session, IsReader, TimeSpan.Zero);
    }

    [Test]
    public async Task Who_blocks_where_answers_are_read_holds_up_nobody()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r));
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
            await ReachAsync(session, IsReader, TimeSpan.Zero).ConfigureAwait(false);
            blocked.SetResult();
            var released = release.Wait(Patience);
            await session.ExecuteAsync(Statement).ConfigureAwait(false);
            return released;
        }
    }

    [Test]
    public async Task Who_blocks_for_another_answer_gets_it()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r));
        await using var session = await server.ConnectAsync();

        await ReachAsync(session, IsReader, TimeSpan.Zero).ConfigureAwait(false);
        Assert.That(IsReader(), Is.True);
        Assert.That(session.ExecuteAsync(Statement).AsTask().Wait(Patience), Is.True);
        await session.ExecuteAsync(Statement);
    }

    [Test]
    public async Task Who_blocks_for_the_end_of_the_session_sees_it()
    {
        await using var server = new FakeServer((c, r) => c.VoidAsync(r));
        var session = await server.ConnectAsync();

        await ReachAsync(session, IsReader, TimeSpan.Zero).ConfigureAwait(false);
        Assert.That(IsReader(), Is.True);
        Assert.That(session.DisposeAsync().AsTask().Wait(Patience), Is.True);
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
        };
        var watch = Stopwatch.StartNew();

        var late = Assert.ThrowsAsync<CqlException>(() => CqlSession.ConnectAsync(options));

        Assert.That(late!.Message, Does.Contain("did not answer in 0.3 s"));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(10)));
    }

    private static bool IsReader() => Thread.CurrentThread.Name?.StartsWith("cql ") == true;

    /// <summary>Statements one after the other, each followed by so much work, until one goes on there.</summary>
    private static async Task ReachAsync(CqlSession session, Func<bool> isThere, TimeSpan work)
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < Patience)
        {
            await session.ExecuteAsync(Statement).ConfigureAwait(false);
            if (isThere()) return;
            var begun = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(begun) < work) Thread.SpinWait(10);
        }

        Assert.Fail($"None went on there in {Patience}.");
    }
}
