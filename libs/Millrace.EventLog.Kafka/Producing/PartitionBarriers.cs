using System.Globalization;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using TopicPartition = Millrace.Contracts.TopicPartition;

namespace Millrace.EventLog.Kafka.Producing;

/// <summary>
/// Finds out where a partition goes on behind all that anyone has appended, also a process that died before its records
/// were on enough brokers for readers to see them: by a record in a transaction that is given up. No reader ever sees
/// that one, but it has an offset, and who may pass it has seen all before it.
/// </summary>
internal sealed class PartitionBarriers(KafkaLogOptions options, ILogger log, TimeProvider time) : IAsyncDisposable
{
    /// <summary>After so long without a single one, the cluster is taken for one that has no transactions.</summary>
    private static readonly TimeSpan GivenUpAfter = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Readers wait behind an open transaction: where a process dies within one, the brokers end it soon.
    /// </summary>
    private static readonly TimeSpan OpenMax = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly string _id = $"{options.Prefix}millrace-barrier-{Guid.NewGuid():n}";
    private List<(TopicPartition Partition, TaskCompletionSource<long?> Answer)> _asked = [];
    private Task _running = Task.CompletedTask;
    private IProducer<Null, Null>? _producer;
    private long? _failsSince;
    private bool _isRunning;
    private bool _haveWorked;
    private bool _isDisposed;

    /// <summary>The offset of a barrier that is put now; null where the cluster has no transactions.</summary>
    public Task<long?> PutAsync(TopicPartition partition)
    {
        var answer = new TaskCompletionSource<long?>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(KafkaLog));
            _asked.Add((partition, answer));
            if (_isRunning) return answer.Task;
            _isRunning = true;

            // The calls of a transaction block.
            _running = Task.Factory.StartNew(
                Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        return answer.Task;
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate) _isDisposed = true;
        await _running.ConfigureAwait(false);
        _producer?.Dispose();
    }

    /// <summary>One transaction for all who have asked by then.</summary>
    private void Run()
    {
        while (true)
        {
            List<(TopicPartition Partition, TaskCompletionSource<long?> Answer)> asked;
            lock (_gate)
            {
                _isRunning = _asked.Count > 0;
                if (!_isRunning) return;
                (asked, _asked) = (_asked, []);
            }

            Answer(asked);
        }
    }

    private void Answer(List<(TopicPartition Partition, TaskCompletionSource<long?> Answer)> asked)
    {
        try
        {
            var offsets = Put([.. asked.Select(one => one.Partition).Distinct()]);
            _haveWorked = true;
            foreach (var (partition, answer) in asked) answer.TrySetResult(offsets[partition]);
        }
        catch (Exception e)
        {
            // The next producer ends what this one has left open.
            _producer?.Dispose();
            _producer = null;
            var isGivenUp = IsGivenUp(e);
            if (isGivenUp) log.BarriersGivenUp(e.Message);
            foreach (var (partition, answer) in asked)
            {
                if (isGivenUp) answer.TrySetResult(null);
                else answer.TrySetException(KafkaLogErrors.ClusterFailed.With(partition, e.Message).AsException(e));
            }
        }
    }

    /// <summary>What a cluster never could do need not be waited for.</summary>
    private bool IsGivenUp(Exception failure)
    {
        if (_haveWorked) return false;
        _failsSince ??= time.GetTimestamp();
        return failure is KafkaException { Error.Code: ErrorCode.TransactionalIdAuthorizationFailed }
            || time.GetElapsedTime(_failsSince.Value) > GivenUpAfter;
    }

    private Dictionary<TopicPartition, long> Put(IReadOnlyList<TopicPartition> partitions)
    {
        var producer = _producer ??= Begun();
        producer.BeginTransaction();
        var reports = new List<DeliveryReport<Null, Null>>();
        foreach (var (topic, partition) in partitions)
        {
            producer.Produce(new Confluent.Kafka.TopicPartition(options.Prefix + topic, partition),
                new Message<Null, Null>(), reports.Add);
        }

        var left = producer.Flush(options.RequestTimeout);
        producer.AbortTransaction(options.RequestTimeout);
        if (reports.Find(report => report.Error.IsError) is { } failed) throw new KafkaException(failed.Error);
        if (left > 0) throw new KafkaException(ErrorCode.Local_TimedOut);
        return reports.ToDictionary(
            report => new TopicPartition(report.Topic[options.Prefix.Length..], report.Partition),
            report => report.Offset.Value);
    }

    private IProducer<Null, Null> Begun()
    {
        var openMs = OpenMax.TotalMilliseconds.ToString(CultureInfo.InvariantCulture);
        var producer = new ProducerBuilder<Null, Null>(new Dictionary<string, string>(KafkaSettings.Common(options))
        {
            ["transactional.id"] = _id,
            ["transaction.timeout.ms"] = openMs,
            ["message.timeout.ms"] = openMs,
            ["linger.ms"] = "0",
        }).SetLogHandler((_, message) => KafkaAdmin.Tell(log, message)).SetErrorHandler(static (_, _) => { }).Build();
        try
        {
            producer.InitTransactions(options.RequestTimeout);
            return producer;
        }
        catch
        {
            producer.Dispose();
            throw;
        }
    }
}
