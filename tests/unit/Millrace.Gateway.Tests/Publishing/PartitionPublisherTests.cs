using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Millrace.Contracts;
using Millrace.Gateway.Publishing;
using Millrace.Primitives;

namespace Millrace.Gateway.Tests.Publishing;

public class PartitionPublisherTests
{
    private static readonly TimeSpan LingerMax = TimeSpan.FromMilliseconds(1);

    private ServiceProvider _services = null!;

    [SetUp]
    public void Make() => _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    [TearDown]
    public void Dispose() => _services.Dispose();

    [Test]
    public void What_nobody_waits_for_lingers_and_is_written_together()
    {
        using var way = new Way(_services, new GatewayOptions());
        way.Publish(isWaitedFor: false);
        way.Publish(isWaitedFor: false);
        Assert.That(way.Log.UnderWay, Is.Null);

        way.Time.Advance(LingerMax);
        Assert.That(way.Log.UnderWay, Is.EqualTo(new[] { 0, 1 }));
    }

    [Test]
    public void Who_waits_takes_along_what_lingers()
    {
        using var way = new Way(_services, new GatewayOptions());
        way.Publish(isWaitedFor: false);
        way.Publish(isWaitedFor: true);
        Assert.That(way.Log.UnderWay, Is.EqualTo(new[] { 0, 1 }));

        // Its time passes meanwhile: no reason for a second append at the same time, but for none to wait longer.
        way.Publish(isWaitedFor: false);
        way.Time.Advance(LingerMax);
        way.Log.Succeed();
        Assert.That(way.Log.UnderWay, Is.EqualTo(new[] { 2 }));
        way.Publish(isWaitedFor: false);
        way.Log.Succeed();
        Assert.That(way.Log.UnderWay, Is.Null);
    }

    [Test]
    public void Without_linger_or_beyond_its_bytes_nothing_waits()
    {
        using (var off = new Way(_services, new GatewayOptions { LingerMax = TimeSpan.Zero }))
        {
            off.Publish(isWaitedFor: false);
            Assert.That(off.Log.UnderWay, Is.EqualTo(new[] { 0 }));
        }

        using var small = new Way(_services, new GatewayOptions { LingerBytesMax = new ByteSize(60) });
        small.Publish(isWaitedFor: false);
        Assert.That(small.Log.UnderWay, Is.Null);
        small.Publish(isWaitedFor: false);
        Assert.That(small.Log.UnderWay, Is.EqualTo(new[] { 0, 1 }));
    }

    [Test]
    public void A_partition_that_is_full_does_not_linger()
    {
        using var way = new Way(_services, new GatewayOptions { PartitionBufferBytesMax = new ByteSize(60) });
        way.Publish(isWaitedFor: false);
        way.Publish(isWaitedFor: false);
        Assert.That(way.Log.UnderWay, Is.EqualTo(new[] { 0, 1 }));
    }

    [Test]
    public void What_lingers_is_written_before_it_stops()
    {
        using var way = new Way(_services, new GatewayOptions());
        way.Publish(isWaitedFor: false);
        var stopped = way.Publisher.StopAsync();
        Assert.That(way.Log.UnderWay, Is.EqualTo(new[] { 0 }));
        Assert.That(stopped.IsCompleted, Is.False);

        way.Publish(isWaitedFor: false);
        way.Log.Succeed();
        Assert.That(way.Log.UnderWay, Is.EqualTo(new[] { 1 }));
        way.Log.Succeed();
        Assert.That(stopped.IsCompleted);
    }

    [Test]
    public void Each_is_appended_once_in_order_and_none_waits_longer_than_it_may([Range(1, 60)] int seed)
    {
        var random = new Random(seed);
        var options = new GatewayOptions { LingerBytesMax = new ByteSize(random.Next(30, 400)) };
        using var way = new Way(_services, options);
        for (var step = 0; step < 400; step++)
        {
            switch (random.Next(10))
            {
                case < 4: way.Publish(isWaitedFor: false); break;
                case 4: way.Publish(isWaitedFor: true); break;
                case < 8: way.Time.Advance(TimeSpan.FromMicroseconds(random.Next(600))); break;
                case 8: way.Log.Succeed(); break;
                default:
                    if (random.Next(8) == 0) way.Log.RefuseNext();
                    else if (random.Next(3) == 0) way.Log.Fail();
                    break;
            }

            way.AssertNoneWaitsTooLong($"seed {seed}, step {step}");
        }

        var stopped = way.Publisher.StopAsync();
        while (way.Log.UnderWay is not null) way.Log.Succeed();
        Assert.That(stopped.IsCompleted, $"seed {seed}");
        way.AssertAllTold($"seed {seed}");
    }

    [Test]
    public async Task Threads_that_meet_lose_nothing_and_all_is_written_before_it_stops([Range(1, 4)] int seed)
    {
        const int publishers = 4, each = 3_000;
        using var log = new ThreadLog();
        using var linger = new BatchLinger(Options.Create(new GatewayOptions()), TimeProvider.System);
        using var metrics = new GatewayMetrics(_services.GetRequiredService<IMeterFactory>());
        var partition = new PartitionPublisher(new TopicPartition("telemetry", 0), log, 4 << 20, linger,
            new SharedWork(), TimeProvider.System, metrics, NullLogger.Instance);
        var receipts = new List<Task<bool>>[publishers];
        await Task.WhenAll(Enumerable.Range(0, publishers).Select(n => Task.Run(() =>
        {
            receipts[n] = [];
            var random = new Random((seed * publishers) + n);
            for (var i = 0; i < each; i++)
            {
                var receipt = random.Next(20) == 0 ? new PublishReceipt(count: 1) : null;
                partition.Enter();
                partition.Records.Begin(partition.TimestampMs, "pump-1"u8);
                partition.Records.End(Encoding.UTF8.GetBytes($"{(n * each) + i}"));
                partition.Exit(receipt, 1, receipt is null ? -1 : 0);
                if (receipt is not null) receipts[n].Add(receipt.Durable);
                if (random.Next(50) == 0) Thread.SpinWait(random.Next(20_000));
            }
        })));
        await partition.StopAsync().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);

        Assert.That(log.Taken, Has.Count.EqualTo(publishers * each));
        for (var n = 0; n < publishers; n++)
        {
            Assert.That(log.Taken.Where(number => number / each == n), Is.Ordered.And.Unique);
            Assert.That(await Task.WhenAll(receipts[n]), Is.All.True);
        }
    }

    /// <summary>One partition's way, with a log that answers when it is told to, and who publishes there.</summary>
    private sealed class Way : IPublishOwner, IDisposable
    {
        private readonly BatchLinger _linger;
        private readonly GatewayMetrics _metrics;
        private readonly List<(int Number, bool IsWaitedFor, DateTimeOffset At)> _published = [];
        private readonly HashSet<int> _lost = [];
        private int _durable = -1;
        private bool _hasFailed;

        public Way(IServiceProvider services, GatewayOptions options)
        {
            Log = new HandLog(Time);
            _linger = new BatchLinger(Options.Create(options), Time);
            _metrics = new GatewayMetrics(services.GetRequiredService<IMeterFactory>());
            Publisher = new PartitionPublisher(
                new TopicPartition("telemetry", 0), Log, options.PartitionBufferBytesMax.Bytes, _linger,
                new SharedWork(), Time, _metrics, NullLogger.Instance);
        }

        public FakeTimeProvider Time { get; } = new();

        public HandLog Log { get; }

        public PartitionPublisher Publisher { get; }

        public void Publish(bool isWaitedFor)
        {
            var number = _published.Count;
            _published.Add((number, isWaitedFor, Time.GetUtcNow()));
            Publisher.Enter();
            Publisher.Records.Begin(Publisher.TimestampMs, "pump-1"u8);
            Publisher.Records.End(Encoding.UTF8.GetBytes($"{number}"));
            Publisher.Exit(this, 1, isWaitedFor ? number : -1);
        }

        public void AssertNoneWaitsTooLong(string context)
        {
            if (Log.UnderWay is not null) return;
            var waiting = _published.Where(each => !Log.Taken.Contains(each.Number) && !_lost.Contains(each.Number));
            foreach (var (number, isWaitedFor, at) in waiting)
            {
                Assert.That(isWaitedFor, Is.False, $"{number} waits for nothing, {context}");
                var since = at > Log.EndedAt ? at : Log.EndedAt;
                Assert.That(Time.GetUtcNow() - since, Is.LessThan(LingerMax), $"{number}, {context}");
            }
        }

        public void AssertAllTold(string context)
        {
            Assert.That(Log.Taken, Is.Ordered.And.Unique, context);
            Assert.That(Log.Taken.Concat(_lost).Order(), Is.EqualTo(_published.Select(each => each.Number)), context);
            var last = _published.LastOrDefault(each => each.IsWaitedFor && Log.Durable.Contains(each.Number));
            if (last.IsWaitedFor) Assert.That(_durable, Is.EqualTo(last.Number), context);
        }

        public void OnDurable(int partition, long lastNumber, long firstOffset) => _durable = (int)lastNumber;

        public void StopPublishing() => _hasFailed = true;

        public void OnLogFailed(int partition, LogFailure failure)
        {
            Assert.That(_hasFailed);
            foreach (var each in _published.Where(each => !Log.Taken.Contains(each.Number))) _lost.Add(each.Number);
        }

        public void OnRoom()
        {
        }

        public void Dispose()
        {
            _linger.Dispose();
            _metrics.Dispose();
        }
    }
}
