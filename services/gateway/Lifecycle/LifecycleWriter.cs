using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Gateway.Lifecycle;

/// <summary>
/// Brings connects and disconnects to the lifecycle topic, in order, many in one append. While the log fails they
/// wait in a bounded queue, and when that is full, whoever brings one waits.
/// </summary>
internal sealed class LifecycleWriter(
    IEventLog log, IOptions<GatewayOptions> options, TimeProvider time, GatewayMetrics metrics,
    ILogger<LifecycleWriter> logger)
{
    private const int BatchMax = 1_000;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);

    private readonly Channel<LifecycleEvent> _queue = Channel.CreateBounded<LifecycleEvent>(
        new BoundedChannelOptions(options.Value.LifecycleQueueMax) { SingleReader = true });

    private readonly CancellationTokenSource _giveUp = new();
    private RecordBatchBuilder[] _builders = [];
    private Task _running = Task.CompletedTask;
    private volatile bool _hasLost;

    public void Start()
    {
        var topic = log.FindTopic(Contracts.Topics.Lifecycle)
            ?? throw EventLogErrors.NotFound.With(Contracts.Topics.Lifecycle).AsException();
        _builders = [.. Enumerable.Range(0, topic.Partitions).Select(_ => new RecordBatchBuilder())];
        _running = Task.Run(RunAsync);
    }

    public async ValueTask WriteAsync(LifecycleEvent happened)
    {
        if (_queue.Writer.TryWrite(happened)) return;
        metrics.LifecycleWaited();
        try
        {
            await _queue.Writer.WriteAsync(happened).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            Lost(1);
        }
    }

    /// <summary>
    /// Writes what waits; what the log does not take until the token ends is counted as lost. True when nothing was.
    /// </summary>
    public async Task<bool> StopAsync(CancellationToken ct)
    {
        _queue.Writer.TryComplete();
        using var registration = ct.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _giveUp);
        await _running.ConfigureAwait(false);
        return !_hasLost;
    }

    private async Task RunAsync()
    {
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            for (var i = 0; i < BatchMax && _queue.Reader.TryRead(out var happened); i++) Encode(happened);
            for (var p = 0; p < _builders.Length; p++)
            {
                if (_builders[p].Count == 0) continue;
                await AppendAsync(new TopicPartition(Contracts.Topics.Lifecycle, p), _builders[p])
                    .ConfigureAwait(false);
                _builders[p].Clear();
            }
        }
    }

    private void Encode(LifecycleEvent happened)
    {
        var key = Encoding.UTF8.GetBytes(happened.DeviceId);
        var records = _builders[Partitioner.PartitionOf(key, _builders.Length)];
        records.Begin(time.GetUtcNow().ToUnixTimeMilliseconds(), key);
        records.End(JsonSerializer.SerializeToUtf8Bytes(happened, ContractJson.Default.LifecycleEvent));
    }

    private async ValueTask AppendAsync(TopicPartition partition, RecordBatchBuilder records)
    {
        for (var failed = false; ; failed = true)
        {
            try
            {
                await log.AppendAsync(partition, records).ConfigureAwait(false);
                metrics.LifecycleWritten(records.Count);
                return;
            }
            catch (Exception failure)
            {
                if (!failed) logger.LifecycleFails(failure);
                if (!await PauseAsync().ConfigureAwait(false))
                {
                    Lost(records.Count);
                    logger.LifecycleLost(records.Count);
                    return;
                }
            }
        }
    }

    private void Lost(int count)
    {
        _hasLost = true;
        metrics.LifecycleLost(count);
    }

    private async ValueTask<bool> PauseAsync()
    {
        try
        {
            await Task.Delay(RetryPause, time, _giveUp.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
