using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using Millrace.Cql.Cluster;
using Millrace.Cql.Connections;
using Millrace.Cql.Tests.Server;
using Millrace.TestKit;

namespace Millrace.Cql.Tests.Cluster;

public class NodePoolTests
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(3);

    // Far from any pause, so that the timers of the tries can be told from those between them.
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromHours(1);

    [Test]
    public async Task The_pauses_before_it_connects_again_double_to_the_longest_and_begin_anew_after_a_success()
    {
        var clock = new PauseClock();
        await using var server = new FakeServer((c, r) => c.VoidAsync(r));
        server.Fail();
        await using var pool = new NodePool(server.EndPoint, new Connector(new CqlOptions
        {
            TimeProvider = clock,
            ConnectTimeout = ConnectTimeout,
            ReconnectDelayMin = Least,
            ReconnectDelayMax = Most,
        }));

        _ = pool.StartAsync();
        double[] expected = [100, 200, 400, 800, 1600, 3000, 3000];
        for (var i = 0; i < expected.Length; i++)
        {
            var pause = await clock.PauseAsync(i);
            Assert.That(server.Refusals, Is.EqualTo(i + 1), "one try before each pause");
            Assert.That(pause.TotalMilliseconds, Is.InRange(expected[i] * 0.8, expected[i]));
            if (i == expected.Length - 1) server.Recover();
            clock.Advance(pause);
        }

        await Eventually.TrueAsync(() => pool.IsUp, "it is connected");
        clock.Advance(TimeSpan.FromSeconds(2));
        server.Fail();

        var first = await clock.PauseAsync(expected.Length);
        Assert.That(first, Is.InRange(Least * 0.8, Least));
    }

    /// <summary>Stands still until it is told, and remembers what was waited for.</summary>
    private sealed class PauseClock : FakeTimeProvider
    {
        private readonly ConcurrentQueue<TimeSpan> _pauses = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (period == Timeout.InfiniteTimeSpan && dueTime > TimeSpan.Zero && dueTime != ConnectTimeout)
                _pauses.Enqueue(dueTime);
            return timer;
        }

        public async Task<TimeSpan> PauseAsync(int number)
        {
            await Eventually.TrueAsync(() => _pauses.Count > number, $"pause {number} begins");
            return _pauses.ElementAt(number);
        }
    }
}
