using Confluent.Kafka;
using Microsoft.Extensions.Logging;

namespace Millrace.EventLog.Kafka.Catalog;

/// <summary>
/// The hub's topics in the cluster, as they were when it was last asked; it is asked again and again, because other
/// processes make topics too.
/// </summary>
internal sealed class TopicCatalog : IAsyncDisposable
{
    private const int MissedMax = 3;

    private readonly KafkaAdmin _admin;
    private readonly KafkaLogOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopped = new();
    private readonly SemaphoreSlim _asking = new(1, 1);
    private readonly Task _refreshing;
    private volatile IReadOnlyDictionary<string, TopicInfo> _topics = new Dictionary<string, TopicInfo>();
    private readonly Dictionary<string, int> _missed = [];
    private readonly HashSet<(string Topic, int Partitions)> _grown = [];
    private long _silentSince;
    private bool _hasAnswered;
    private bool _isDisposed;

    public TopicCatalog(KafkaAdmin admin, KafkaLogOptions options, ILogger log, TimeProvider time)
    {
        (_admin, _options, _log, _time) = (admin, options, log, time);
        _silentSince = time.GetTimestamp();
        _refreshing = Task.Run(RefreshAsync);
    }

    public IReadOnlyDictionary<string, TopicInfo> Topics => _topics;

    /// <summary>Asks the cluster now; false when it does not answer.</summary>
    public async Task<bool> AskAsync(CancellationToken ct)
    {
        await _asking.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(KafkaLog));

            // The package has no call that does not block for this.
            var metadata = await Task.Run(() => _admin.Client.GetMetadata(_options.RequestTimeout),
                CancellationToken.None).ConfigureAwait(false);
            Keep(metadata);
            return true;
        }
        catch (KafkaException e)
        {
            var seconds = (int)_time.GetElapsedTime(_silentSince).TotalSeconds;
            _log.WaitingForCluster(_options.BootstrapServers, e.Error.Reason, seconds);
            _hasAnswered = false;
            return false;
        }
        finally
        {
            _asking.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync().ConfigureAwait(false);
        await _refreshing.ConfigureAwait(false);

        // Nobody asks now, and who would later is told so.
        await _asking.WaitAsync().ConfigureAwait(false);
        _isDisposed = true;
        _asking.Release();
        _stopped.Dispose();
    }

    private void Keep(Metadata metadata)
    {
        var topics = new Dictionary<string, TopicInfo>();
        foreach (var topic in metadata.Topics)
        {
            if (_admin.Unnamed(topic.Topic) is not { } name || topic.Partitions.Count == 0) continue;
            topics.Add(name, KnownOr(new TopicInfo(name, topic.Partitions.Count)));
        }

        foreach (var there in topics.Keys) _missed.Remove(there);
        foreach (var gone in _topics.Values.Where(topic => !topics.ContainsKey(topic.Name)))
        {
            // A broker that has just begun does not know what was just made.
            var missed = _missed[gone.Name] = _missed.GetValueOrDefault(gone.Name) + 1;
            if (missed < MissedMax) topics.Add(gone.Name, gone);
        }

        _topics = topics;
        _silentSince = _time.GetTimestamp();
        if (!_hasAnswered) _log.ClusterAnswers(_options.BootstrapServers, topics.Count);
        _hasAnswered = true;
    }

    /// <summary>
    /// A topic that was given more partitions while the hub works on it keeps those that it had: with others a device's
    /// records would be in two, and whoever reads has begun with the old ones. The next start is refused.
    /// </summary>
    private TopicInfo KnownOr(TopicInfo found)
    {
        if (!_topics.TryGetValue(found.Name, out var known) || found.Partitions <= known.Partitions) return found;
        if (_grown.Add((found.Name, found.Partitions)))
        {
            _log.PartitionsAdded(
                EventLogErrors.PartitionCountChanged.Code, found.Name, found.Partitions, known.Partitions);
        }

        return known;
    }

    private async Task RefreshAsync()
    {
        using var timer = new PeriodicTimer(_options.MetadataInterval, _time);
        try
        {
            do await AskAsync(_stopped.Token).ConfigureAwait(false);
            while (await timer.WaitForNextTickAsync(_stopped.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }
}
