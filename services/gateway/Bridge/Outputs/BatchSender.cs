using Millrace.Contracts;
using Millrace.Gateway.Bridge.Link;
using Millrace.Primitives;
using MQTTnet;

namespace Millrace.Gateway.Bridge.Outputs;

/// <summary>
/// Sends records of one partition in their order, many in flight, and takes the broker's answers. For one caller.
/// </summary>
internal sealed class BatchSender
{
    private readonly BridgeOptions _bridge;
    private readonly string _from;
    private readonly TopicPartition _partition;
    private readonly BridgeState _state;
    private readonly TimeProvider _time;
    private readonly OutputMessages _messages;
    private readonly PublishRefusals _refusals;
    private readonly Queue<Sending> _sending = new();
    private long _inFlight;

    public BatchSender(
        BridgeOptions bridge, BridgeOutputOptions output, int topicsMax, TopicPartition partition, BridgeState state,
        TimeProvider time)
    {
        (_bridge, _from, _partition, _state, _time) = (bridge, output.From, partition, state, time);
        _messages = new OutputMessages(bridge.Version, output, time);

        // Where all go to one topic nothing else is held up, and all can wait until it is allowed.
        var triesMax = _messages.HaveOneTopic ? int.MaxValue : bridge.RefusedTriesMax;
        _refusals = new PublishRefusals(triesMax, topicsMax);
    }

    public long InFlight => Interlocked.Read(ref _inFlight);

    /// <summary>How the reason of its dead letters begins.</summary>
    public static string ReasonPrefix(string bridge) => $"bridge {bridge}: ";

    /// <summary>
    /// Tries what is open of a batch once. What the broker has, and what becomes a dead letter, is open no more; why
    /// something still is, is returned.
    /// </summary>
    public async Task<Error?> TryAsync(
        BridgeClient client, RecordBatch batch, SortedSet<long> open, List<DeadLetter> letters, CancellationToken stop)
    {
        _refusals.BeginPass();
        Error? refusal = null;
        try
        {
            var messages = Make(batch, open, letters, client.PacketBytesMax);
            while (messages.Count + _sending.Count > 0)
            {
                if (messages.Count > 0 && _sending.Count < _bridge.SendInFlightMax)
                {
                    await SendAsync(client, messages.Dequeue(), stop).ConfigureAwait(false);
                    continue;
                }

                var sent = _sending.Dequeue();
                var answer = (await sent.Publish.WaitAsync(stop).ConfigureAwait(false)).ReasonCode;
                Interlocked.Decrement(ref _inFlight);
                switch (_refusals.Judge(answer, sent.Topic))
                {
                    case PublishOutcome.Taken:
                        _state.Sent();
                        open.Remove(sent.Offset);
                        break;
                    case PublishOutcome.Refused:
                        var detail = $"{answer}: {sent.Topic}";
                        letters.Add(Letter(RecordAt(batch, sent.Offset), "refused", detail));
                        open.Remove(sent.Offset);
                        break;
                    case PublishOutcome.NotAllowed:
                        refusal = Refused(sent.Topic, answer);
                        break;
                    default:
                        return Refused(sent.Topic, answer);
                }
            }

            return refusal;
        }
        finally
        {
            _sending.Clear();
            Interlocked.Exchange(ref _inFlight, 0);
        }
    }

    private async ValueTask SendAsync(
        BridgeClient client, (long Offset, MqttApplicationMessage Message) next, CancellationToken stop)
    {
        var publish = await client.SendAsync(next.Message, stop).ConfigureAwait(false);
        _sending.Enqueue(new Sending(next.Offset, next.Message.Topic, publish));
        Interlocked.Increment(ref _inFlight);
    }

    private Error Refused(string topic, MqttClientPublishReasonCode answer) =>
        BridgeErrors.Refused.With(_from, $"A publish to {topic}: {answer}.");

    private Queue<(long Offset, MqttApplicationMessage Message)> Make(
        RecordBatch batch, SortedSet<long> open, List<DeadLetter> letters, uint packetBytesMax)
    {
        var messages = new Queue<(long, MqttApplicationMessage)>(open.Count);
        foreach (var record in batch)
        {
            if (!open.Contains(record.Offset)) continue;
            string? refusal = null;
            var isExpired = _messages.IsExpired(record);
            if (!isExpired && _messages.Make(record, packetBytesMax, out refusal) is { } message)
            {
                messages.Enqueue((record.Offset, message));
                continue;
            }

            if (isExpired) _state.Expired();
            else letters.Add(Letter(record, "not-mapped", refusal!));
            open.Remove(record.Offset);
        }

        return messages;
    }

    private DeadLetter Letter(RecordView record, string reason, string detail)
    {
        _state.Unsendable(reason, _partition.ToString(), record.Offset, detail);
        return DeadLetter.Of(record, _partition, DeadLetterStages.Gateway, BridgeErrors.Unsendable.Code,
            $"{ReasonPrefix(_bridge.Name)}{reason}: {detail}", _time.GetUtcNow());
    }

    private static RecordView RecordAt(RecordBatch batch, long offset)
    {
        var records = batch.GetEnumerator();
        while (records.MoveNext() && records.Current.Offset != offset)
        {
            // It is further on.
        }

        return records.Current;
    }

    private readonly record struct Sending(long Offset, string Topic, Task<MqttClientPublishResult> Publish);
}
