using Microsoft.Extensions.Logging;
using Millrace.Contracts;

namespace Millrace.EventLog.Kafka.Reading;

/// <summary>
/// The consumers of this process. A consumer of the library has a thread for each broker, but can read a partition only
/// once: so there are as many as one partition has fetches here, however many partitions there are.
/// </summary>
internal sealed class ReaderPool : IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, string> _settings;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly List<ReaderClient> _clients = [];
    private readonly HashSet<PartitionFetch> _fetches = [];
    private readonly CancellationTokenSource _stopped = new();
    private readonly Task _polling;
    private bool _isDisposed;

    public ReaderPool(KafkaLogOptions options, ILogger log, TimeProvider time)
    {
        (_settings, _log, _time) = (KafkaSettings.Reader(options), log, time);
        _polling = Task.Run(PollAsync);
    }

    /// <summary>Consumers that are open; for tests.</summary>
    internal int Clients
    {
        get
        {
            lock (_gate) return _clients.Count;
        }
    }

    /// <summary>Partitions that are fetched, each as often as it is; for tests.</summary>
    internal int Fetches
    {
        get
        {
            lock (_gate) return _fetches.Count;
        }
    }

    /// <summary>Begins to read the partition at the offset.</summary>
    /// <param name="topic">The topic's name in the cluster.</param>
    public PartitionFetch Fetch(string topic, TopicPartition partition, long offset)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(KafkaLog));
            var client = _clients.FirstOrDefault(client => client.TryTake(partition));
            if (client is null)
            {
                client = new ReaderClient(_settings, _log);
                client.TryTake(partition);
                _clients.Add(client);
            }

            try
            {
                var fetch = new PartitionFetch(client.Native, topic, partition.Partition, offset, Return);
                _fetches.Add(fetch);
                return fetch;
            }
            catch
            {
                client.Return(partition);
                throw;
            }

            void Return(PartitionFetch ended)
            {
                lock (_gate)
                {
                    client.Return(partition);
                    _fetches.Remove(ended);
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        PartitionFetch[] open;
        lock (_gate)
        {
            _isDisposed = true;
            open = [.. _fetches];
        }

        foreach (var fetch in open) fetch.Dispose();
        await _stopped.CancelAsync().ConfigureAwait(false);
        await _polling.ConfigureAwait(false);
        foreach (var client in _clients) client.Dispose();
        _stopped.Dispose();
    }

    /// <summary>Lets the consumers say what they have to say of themselves.</summary>
    private async Task PollAsync()
    {
        using var timer = new PeriodicTimer(PollInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopped.Token).ConfigureAwait(false))
            {
                ReaderClient[] clients;
                lock (_gate) clients = [.. _clients];
                foreach (var client in clients) client.Native.Poll(TimeSpan.Zero);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }
}
