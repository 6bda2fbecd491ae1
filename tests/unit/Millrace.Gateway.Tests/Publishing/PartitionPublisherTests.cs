using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Publishing;
using Millrace.Primitives;
using Millrace.TestKit;

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

        // Its time has passed meanwhile: that is no reason for a second append at the same time.
        way.Publish(isWaitedFor: false);
        way.Time.Advance(LingerMax);
        way.Log.Succeed();
        Assert.That(way.Log.UnderWay, Is.Null);
        way.Time.Advance(LingerMax);
        Assert.That(way.Log.UnderWay, Is.EqualTo(new[] { 2 }));
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
                new TopicPartition("telemetry", 0), Log, options.PartitionBufferBytesMax.Bytes, _linger, Time, _metrics,
                NullLogger.Instance);
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

    /// <summary>A log with one append at a time, whose end the test says.</summary>
    private sealed class HandLog(TimeProvider time) : ForwardingLog(null!), IEventLog
    {
        private IAppendOwner? _owner;
        private bool _refuses;

        public List<int> Taken { get; } = [];

        public HashSet<int> Durable { get; } = [];

        /// <summary>What is being appended.</summary>
        public int[]? UnderWay { get; private set; }

        /// <summary>When it was free last.</summary>
        public DateTimeOffset EndedAt { get; private set; }

        public void RefuseNext() => _refuses = true;

        public Exception? Append(TopicPartition partition, RecordBatchBuilder records, IAppendOwner owner)
        {
            Assert.That(UnderWay, Is.Null, "one append at a time");
            if (_refuses)
            {
                _refuses = false;
                return EventLogErrors.DiskFull.With("test").AsException();
            }

            var numbers = new List<int>();
            foreach (var record in new RecordBatch(partition, 0, records.Count, records.Bytes))
                numbers.Add(int.Parse(record.Value, CultureInfo.InvariantCulture));
            (UnderWay, _owner) = ([.. numbers], owner);
            Taken.AddRange(numbers);
            return null;
        }

        public void Succeed() => End(owner =>
        {
            Durable.UnionWith(UnderWay!);
            return () => owner.OnAppended(new OffsetRange(0, 1));
        });

        public void Fail() => End(owner => () => owner.OnAppendFailed(new IOException("test")));

        private void End(Func<IAppendOwner, Action> end)
        {
            if (_owner is not { } owner) return;
            var tell = end(owner);
            (UnderWay, _owner, EndedAt) = (null, null, time.GetUtcNow());
            tell();
        }
    }
}
