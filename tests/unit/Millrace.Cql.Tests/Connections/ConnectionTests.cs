using System.Net;
using System.Security.Authentication;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Cql.Connections;
using Millrace.Cql.Protocol;

namespace Millrace.Cql.Tests.Connections;

public sealed class ConnectionTests
{
    [Test]
    public async Task A_request_that_comes_after_the_end_is_told_what_ended_the_connection()
    {
        var cause = new IOException("broken", new AuthenticationException("alert"));
        var options = new CqlOptions();
        await using var connection = new Connection(new BrokenStream(cause), new IPEndPoint(IPAddress.Loopback, 1), 5,
            options, NullLogger.Instance);
        connection.Start();
        await connection.Closed.WaitAsync(TimeSpan.FromSeconds(20));

        var told = Assert.ThrowsAsync<CqlException>(
            () => connection.CallAsync(Message.Startup(compress: false), options.ConnectTimeout));
        Assert.That(told!.Error.Definition, Is.EqualTo(CqlErrors.ConnectionLost));
        Assert.That(told.InnerException, Is.SameAs(cause));
    }

    [Test]
    public async Task One_that_ends_while_it_starts_leaves_no_timer()
    {
        var clock = new TimersWait();
        var connection = new Connection(new BrokenStream(new IOException("broken")),
            new IPEndPoint(IPAddress.Loopback, 1), 5, new CqlOptions { TimeProvider = clock }, NullLogger.Instance);
        clock.Until = connection.Closed;
        connection.Start();
        await connection.DisposeAsync();
        Assert.That(connection.Closed.IsCompleted);
        Assert.That(clock.Made, Is.Positive);
        Assert.That(clock.Disposed, Is.EqualTo(clock.Made));
    }

    /// <summary>Makes its timers as late as a thread that is held up does.</summary>
    private sealed class TimersWait : TimeProvider
    {
        private int _disposed;

        public Task Until { get; set; } = Task.CompletedTask;

        public int Made { get; private set; }

        public int Disposed => _disposed;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Until.Wait(TimeSpan.FromMilliseconds(200));
            Made++;
            return new CountedTimer(this, base.CreateTimer(callback, state, dueTime, period));
        }

        private sealed class CountedTimer(TimersWait owner, ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(dueTime, period);

            public void Dispose()
            {
                Interlocked.Increment(ref owner._disposed);
                inner.Dispose();
            }

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }

    /// <summary>As one whose peer sends an alert before it was asked anything.</summary>
    private sealed class BrokenStream(Exception cause) : MemoryStream
    {
        public override int Read(Span<byte> buffer) => throw cause;
    }
}
