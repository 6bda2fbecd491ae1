using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.StreamProcessor.WarmWriter;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

public class SinkCommitsTests
{
    private const string Group = "some-writer";
    private static readonly TopicPartition Partition = new(Topics.Telemetry, 0);

    private ProcessorFixture _hub = null!;
    private CommitLog _log = null!;

    [SetUp]
    public async Task Open()
    {
        _hub = new ProcessorFixture();
        await _hub.StartTopicsAsync();
        _log = new CommitLog(_hub.Log);
    }

    [TearDown]
    public async Task Close() => await _hub.DisposeAsync();

    [Test]
    public async Task Many_writes_are_one_commit_and_the_last_is_committed_though_nothing_follows()
    {
        await using var commits = new SinkCommits(_log, Group, Partition, TimeProvider.System);
        for (var next = 1; next <= 1_000; next++) await commits.StoredAsync(next);

        await Eventually.TrueAsync(() => _log.Committed.Contains(1_000), "the last is committed");
        Assert.That(_log.Committed, Has.Count.LessThan(10));
    }

    [Test]
    public async Task The_end_commits_at_once()
    {
        var commits = new SinkCommits(_log, Group, Partition, TimeProvider.System);
        await commits.StoredAsync(7);
        await commits.DisposeAsync();

        Assert.That(_log.Committed, Is.EqualTo(new[] { 7 }));
        Assert.That((await _hub.Log.CommittedAsync(Group, Partition))?.NextOffset, Is.EqualTo(7));
    }

    [Test]
    public async Task A_commit_that_fails_fails_the_next_write_and_what_is_stored_is_committed_later()
    {
        _log.Fails = true;
        await using (var failing = new SinkCommits(_log, Group, Partition, TimeProvider.System))
        {
            await failing.StoredAsync(1);
            await Eventually.TrueAsync(() => _log.Failed > 0, "the commit fails");
            await Eventually.TrueAsync(() => failing.StoredAsync(2).IsFaulted, "the stream hears of it");
        }

        _log.Fails = false;
        var commits = new SinkCommits(_log, Group, Partition, TimeProvider.System);
        await commits.StoredAsync(3);
        await commits.DisposeAsync();
        Assert.That(_log.Committed, Is.EqualTo(new[] { 3 }));
    }

    private sealed class CommitLog(IEventLog log) : ForwardingLog(log)
    {
        private readonly List<long> _committed = [];
        private int _failed;

        public volatile bool Fails;

        public int Failed => Volatile.Read(ref _failed);

        public IReadOnlyCollection<long> Committed
        {
            get
            {
                lock (_committed) return [.. _committed];
            }
        }

        public override ValueTask CommitAsync(
            string group, TopicPartition partition, long nextOffset, string? metadata = null,
            CancellationToken ct = default)
        {
            if (Fails)
            {
                Interlocked.Increment(ref _failed);
                throw EventLogErrors.DiskFull.With("test").AsException();
            }

            lock (_committed) _committed.Add(nextOffset);
            return base.CommitAsync(group, partition, nextOffset, metadata, ct);
        }
    }
}
