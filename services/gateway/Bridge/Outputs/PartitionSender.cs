using System.Text.Json;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Bridge.Link;
using Millrace.Primitives;
using MQTTnet;

namespace Millrace.Gateway.Bridge.Outputs;

/// <summary>
/// Sends one partition in its order, many records in flight. The offset is committed when the broker has acknowledged
/// all before it; after a lost connection everything from there on is sent again.
/// </summary>
internal sealed class PartitionSender(
    BridgeOptions bridge, BridgeOutputOptions output, TopicPartition partition, bool fromEnd, BridgeLink link,
    IEventLog log, BridgeState state, TimeProvider time)
{
    private static readonly TopicPartition DeadLetters = new(Contracts.Topics.DeadLetter, 0);

    private readonly OutputMessages _messages = new(bridge.Version, output, time);
    private readonly string _group = ConsumerGroups.OfBridge(bridge.Name);
    private readonly Queue<Sending> _sending = new();
    private long _inFlight;
    private long _committed = -1;

    public long InFlight => Interlocked.Read(ref _inFlight);

    /// <summary>How the reason of its dead letters begins.</summary>
    public static string ReasonPrefix(string bridge) => $"bridge {bridge}: ";

    public static bool IsTaken(MqttClientPublishReasonCode answer) =>
        answer is MqttClientPublishReasonCode.Success or MqttClientPublishReasonCode.NoMatchingSubscribers;

    public async ValueTask<long> LagAsync(CancellationToken ct)
    {
        var committed = Interlocked.Read(ref _committed);
        return committed < 0 ? 0 : (await log.RangeAsync(partition, ct).ConfigureAwait(false)).Next - committed;
    }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            BridgeClient? client = null;
            try
            {
                client = await link.ClientAsync(stop).ConfigureAwait(false);
                await SendAsync(client, stop).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                if (stop.IsCancellationRequested) return;
                await PauseAsync(client, failure, stop).ConfigureAwait(false);
            }
            finally
            {
                _sending.Clear();
                Interlocked.Exchange(ref _inFlight, 0);
            }
        }
    }

    /// <summary>A lost connection is the link's to tell, and soon made again; anything else takes its time.</summary>
    private Task PauseAsync(BridgeClient? client, Exception failure, CancellationToken stop)
    {
        var isLost = client is { IsConnected: false };
        if (!isLost)
        {
            state.Failed(failure is MillraceException known
                ? known.Error
                : BridgeErrors.Lost.With(partition, failure.GetBaseException().Message), failure);
        }

        var pause = isLost ? bridge.ReconnectDelayMin : bridge.ReconnectDelayMax;
        return Task.Delay(pause, time, stop).ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task SendAsync(BridgeClient client, CancellationToken stop)
    {
        var start = await StartAsync(stop).ConfigureAwait(false);
        Interlocked.Exchange(ref _committed, start.NextOffset);
        var fence = new EpochFence(start.Metadata);
        var reader = log.OpenReader(partition, start.NextOffset);
        await using var closing = reader.ConfigureAwait(false);
        while (true)
        {
            var batch = await reader.ReadAsync(ct: stop).ConfigureAwait(false);
            var (messages, letters) = Make(batch, fence, client.PacketBytesMax);
            foreach (var (offset, message) in messages)
            {
                if (_sending.Count >= bridge.SendInFlightMax)
                    await AcknowledgedAsync(letters, stop).ConfigureAwait(false);
                var publish = await client.SendAsync(message, stop).ConfigureAwait(false);
                Interlocked.Increment(ref _inFlight);
                _sending.Enqueue(new Sending(batch, offset, publish));
            }

            while (_sending.Count > 0) await AcknowledgedAsync(letters, stop).ConfigureAwait(false);
            await WriteAsync(letters, stop).ConfigureAwait(false);
            await log.CommitAsync(_group, partition, batch.NextOffset, fence.Metadata, stop).ConfigureAwait(false);
            Interlocked.Exchange(ref _committed, batch.NextOffset);
        }
    }

    /// <summary>
    /// Where the group stands. An output that is new begins with what comes now, and that is kept at once; one whose
    /// topic was made later begins with the topic.
    /// </summary>
    private async ValueTask<CommittedOffset> StartAsync(CancellationToken ct)
    {
        if (await log.CommittedAsync(_group, partition, ct).ConfigureAwait(false) is { } committed) return committed;
        var range = await log.RangeAsync(partition, ct).ConfigureAwait(false);
        var start = fromEnd ? range.Next : range.First;
        await log.CommitAsync(_group, partition, start, ct: ct).ConfigureAwait(false);
        return new CommittedOffset(start, null);
    }

    private (List<(long Offset, MqttApplicationMessage Message)> Messages, List<DeadLetter> Letters) Make(
        RecordBatch batch, EpochFence fence, uint packetBytesMax)
    {
        var messages = new List<(long, MqttApplicationMessage)>(batch.Count);
        var letters = new List<DeadLetter>();
        foreach (var record in batch)
        {
            if (!fence.Admits(record)) state.Fenced();
            else if (_messages.IsExpired(record)) state.Expired();
            else if (_messages.Make(record, packetBytesMax, out var refusal) is { } message)
                messages.Add((record.Offset, message));
            else letters.Add(Letter(record, "not-mapped", refusal!));
        }

        return (messages, letters);
    }

    /// <summary>Waits for the broker's answer to the oldest message.</summary>
    private async ValueTask AcknowledgedAsync(List<DeadLetter> letters, CancellationToken stop)
    {
        var (batch, offset, publish) = _sending.Dequeue();
        var result = await publish.WaitAsync(stop).ConfigureAwait(false);
        Interlocked.Decrement(ref _inFlight);
        switch (result.ReasonCode)
        {
            case var answer when IsTaken(answer):
                state.Sent();
                break;
            case MqttClientPublishReasonCode.TopicNameInvalid or MqttClientPublishReasonCode.PayloadFormatInvalid:
                foreach (var record in batch)
                {
                    if (record.Offset == offset) letters.Add(Letter(record, "refused", $"{result.ReasonCode}"));
                }

                break;
            default:
                throw BridgeErrors.Refused.With(output.From, $"A publish: {result.ReasonCode}.").AsException();
        }
    }

    private DeadLetter Letter(RecordView record, string reason, string detail)
    {
        state.Unsendable(reason, partition.ToString(), record.Offset, detail);
        return DeadLetter.Of(record, partition, DeadLetterStages.Gateway, BridgeErrors.Unsendable.Code,
            $"{ReasonPrefix(bridge.Name)}{reason}: {detail}", time.GetUtcNow());
    }

    private async ValueTask WriteAsync(List<DeadLetter> letters, CancellationToken ct)
    {
        if (letters.Count == 0) return;
        using var records = new RecordBatchBuilder();
        foreach (var letter in letters)
        {
            records.Begin(time.GetUtcNow().ToUnixTimeMilliseconds(), letter.Key, hasKey: letter.Key is not null);
            records.End(JsonSerializer.SerializeToUtf8Bytes(letter, ContractJson.Default.DeadLetter));
        }

        await log.AppendAsync(DeadLetters, records, ct).ConfigureAwait(false);
    }

    private readonly record struct Sending(RecordBatch Batch, long Offset, Task<MqttClientPublishResult> Publish);
}
