using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>
/// One process's view of a log that several share: the same records, and partitions that come and go as a test says.
/// </summary>
internal sealed class SharedLog(IEventLog log) : ForwardingLog(log)
{
    private readonly Lock _gate = new();
    private readonly List<Member> _members = [];
    private HashSet<int> _owned = [];
    private long _recordsRead;
    private int _readersOpen;

    public long RecordsRead => Interlocked.Read(ref _recordsRead);

    public int ReadersOpen => Volatile.Read(ref _readersOpen);

    /// <summary>Gives these partitions of every topic to this process; completes when what it had is drained.</summary>
    public async Task OwnAsync(params int[] partitions)
    {
        List<Member> members;
        HashSet<int> gone;
        lock (_gate)
        {
            gone = [.. _owned.Except(partitions)];
            _owned = [.. partitions];
            members = [.. _members];
        }

        await Task.WhenAll(members.Select(member => member.RevokeAsync(gone)));
        foreach (var member in members) member.Assign(partitions);
    }

    /// <summary>As when the cluster throws a member out: it has to join again.</summary>
    public void FailWatches()
    {
        lock (_gate) _members.ForEach(member => member.Fail());
    }

    public override async IAsyncEnumerable<AssignmentChange> WatchAssignmentAsync(
        string group, string topic, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var member = new Member(topic, Inner.FindTopic(topic)!.Partitions);
        lock (_gate)
        {
            _members.Add(member);
            member.Assign(_owned);
        }

        try
        {
            await foreach (var change in member.Changes.ReadAllAsync(ct)) yield return change;
        }
        finally
        {
            lock (_gate) _members.Remove(member);
        }
    }

    public override IPartitionReader OpenReader(TopicPartition partition, long offset) =>
        new CountedReader(this, Inner.OpenReader(partition, offset));

    private sealed class CountedReader : IPartitionReader
    {
        private readonly SharedLog _log;
        private readonly IPartitionReader _reader;

        public CountedReader(SharedLog log, IPartitionReader reader)
        {
            (_log, _reader) = (log, reader);
            Interlocked.Increment(ref log._readersOpen);
        }

        public long Position => _reader.Position;

        public void Seek(long offset) => _reader.Seek(offset);

        public async ValueTask<RecordBatch> ReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default)
        {
            var batch = await _reader.ReadAsync(bytesMax, ct);
            Interlocked.Add(ref _log._recordsRead, batch.Count);
            return batch;
        }

        public async ValueTask<RecordBatch?> TryReadAsync(int bytesMax = 64 * 1024, CancellationToken ct = default)
        {
            var batch = await _reader.TryReadAsync(bytesMax, ct);
            Interlocked.Add(ref _log._recordsRead, batch?.Count ?? 0);
            return batch;
        }

        public ValueTask DisposeAsync()
        {
            Interlocked.Decrement(ref _log._readersOpen);
            return _reader.DisposeAsync();
        }
    }

    private sealed class Member(string topic, int partitions)
    {
        private readonly Channel<AssignmentChange> _changes = Channel.CreateBounded<AssignmentChange>(1_000);
        private readonly HashSet<int> _held = [];

        public ChannelReader<AssignmentChange> Changes => _changes.Reader;

        public void Assign(IEnumerable<int> wanted)
        {
            var added = wanted.Where(p => p < partitions && _held.Add(p)).ToList();
            if (added.Count > 0) Write(AssignmentKind.Assigned, added, () => { });
        }

        public Task RevokeAsync(IEnumerable<int> gone)
        {
            var removed = gone.Where(_held.Remove).ToList();
            if (removed.Count == 0) return Task.CompletedTask;
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Write(AssignmentKind.Revoked, removed, done.SetResult);
            return done.Task;
        }

        public void Fail() => _changes.Writer.Complete(new IOException("The member is thrown out."));

        private void Write(AssignmentKind kind, List<int> which, Action completed) => Assert.That(
            _changes.Writer.TryWrite(new AssignmentChange(
                kind, which.ConvertAll(p => new TopicPartition(topic, p)), completed)), Is.True);
    }
}
