using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging;
using Millrace.EventLog.Kafka.Native;
using TopicPartition = Millrace.Contracts.TopicPartition;

namespace Millrace.EventLog.Kafka.Groups;

/// <summary>
/// What groups have committed, kept by the cluster like that of any consumer group, so that its tools see it. Who
/// shares the partitions of a group among processes are members of another group (see <see cref="GroupMember"/>): so
/// any process may commit for a group, and what counts is decided by epochs and stores, not by membership.
/// </summary>
internal sealed class GroupOffsets : IAsyncDisposable
{
    /// <summary>Ends the name of the group whose members share a group's partitions.</summary>
    public const string MembersSuffix = ".members";

    private const int Tries = 20;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(250);

    private readonly KafkaAdmin _admin;
    private readonly NativeClient _client;
    private readonly GroupRequest _request;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, GroupCommits> _commits = [];
    private readonly CancellationTokenSource _stopped = new();
    private readonly Task _polling;

    public GroupOffsets(KafkaAdmin admin, KafkaLogOptions options, ILogger log, TimeProvider time)
    {
        (_admin, _time) = (admin, time);
        _client = new NativeClient(ClientKind.Consumer, KafkaSettings.Offsets(options), log);
        _request = new GroupRequest(_client, admin.Named, admin.Unnamed);
        _polling = Task.Run(PollAsync);
    }

    /// <summary>Durable when the task ends. Commits of a group that come meanwhile travel together.</summary>
    public Task CommitAsync(string group, TopicPartition partition, CommittedOffset offset, CancellationToken ct)
    {
        GroupCommits commits;
        lock (_gate)
        {
            if (!_commits.TryGetValue(group, out commits!))
                _commits.Add(group, commits = new GroupCommits(offsets => SendAsync(group, offsets)));
        }

        return commits.AddAsync(partition, offset).WaitAsync(ct);
    }

    /// <summary>What this process has committed last, by group.</summary>
    public IReadOnlyList<(string Group, TopicPartition Partition, long NextOffset)> Own
    {
        get
        {
            lock (_gate)
            {
                return [.. _commits.SelectMany(group => group.Value.Last
                    .Select(pair => (group.Key, pair.Key, pair.Value.NextOffset)))];
            }
        }
    }

    public async ValueTask<CommittedOffset?> CommittedAsync(
        string group, TopicPartition partition, CancellationToken ct)
    {
        var found = await RetryAsync($"{group} {partition}", () => _request.CommittedAsync(group, [partition]))
            .WaitAsync(ct).ConfigureAwait(false);
        return found.Count == 0 ? null : found[0].Committed;
    }

    /// <summary>All that the group has committed.</summary>
    public Task<IReadOnlyList<GroupOffset>> CommittedAsync(string group, CancellationToken ct) =>
        RetryAsync(group, () => _request.CommittedAsync(group, null)).WaitAsync(ct);

    public async ValueTask<IReadOnlyList<string>> NamesAsync(CancellationToken ct)
    {
        var listed = await _admin.AskAsync("groups", ct, () => _admin.Client.ListConsumerGroupsAsync())
            .ConfigureAwait(false);
        return [.. listed.Valid.Select(group => _admin.Unnamed(group.GroupId)).OfType<string>()
            .Where(name => !name.EndsWith(MembersSuffix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    public async ValueTask ForgetAsync(string group, CancellationToken ct)
    {
        lock (_gate) _commits.Remove(group);
        await _admin.AskAsync(group, ct, async () =>
        {
            try
            {
                await _admin.Client.DeleteGroupsAsync([_admin.Named(group)]).ConfigureAwait(false);
            }
            catch (DeleteGroupsException e) when (KafkaAdmin.Error(e).Code == ErrorCode.GroupIdNotFound)
            {
                // It has committed nothing.
            }

            return true;
        }).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync().ConfigureAwait(false);
        await _polling.ConfigureAwait(false);
        _client.Dispose();
        _stopped.Dispose();
    }

    private async Task SendAsync(
        string group, IReadOnlyCollection<KeyValuePair<TopicPartition, CommittedOffset>> offsets) =>
        await RetryAsync(group, async () =>
        {
            var results = await _request.CommitAsync(group, offsets).ConfigureAwait(false);
            var failed = results.FirstOrDefault(result => result.Error != 0);
            return failed.Error == 0 ? results : throw new GroupRequestException(failed.Error);
        }).ConfigureAwait(false);

    private async Task<T> RetryAsync<T>(string subject, Func<Task<T>> ask)
    {
        for (var tried = 1; ; tried++)
        {
            try
            {
                return await ask().ConfigureAwait(false);
            }
            catch (GroupRequestException) when (tried < Tries && !_stopped.IsCancellationRequested)
            {
                await Task.Delay(RetryPause, _time, CancellationToken.None).ConfigureAwait(false);
            }
            catch (GroupRequestException e)
            {
                throw KafkaLogErrors.ClusterFailed.With(subject, e.Message).AsException(e);
            }
        }
    }

    private async Task PollAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopped.Token).ConfigureAwait(false)) _client.Poll(TimeSpan.Zero);
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }
}
