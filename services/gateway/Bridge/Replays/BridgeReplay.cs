using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Gateway.Authentication;
using Millrace.Gateway.Bridge.Intake;
using Millrace.Gateway.Bridge.Mapping;
using Millrace.Gateway.Bridge.Outputs;
using Millrace.Gateway.Publishing;
using Millrace.Stores.DeadLetters;

namespace Millrace.Gateway.Bridge.Replays;

/// <summary>
/// One more try of a dead letter by the bridge as it is configured now: a message is mapped again, a record is sent
/// again. For one caller at a time.
/// </summary>
internal sealed class BridgeReplay(
    BridgeOptions options, GatewayOptions gateway, TelemetryPublisher publisher, IReadOnlyList<BridgeOutput> outputs,
    IEventLog log)
{
    private const long ClockSkewMs = 60_000;

    private readonly BridgeMapping _mapping = new(options.Subscriptions, gateway.TopicCacheMax);
    private readonly string _group = ConsumerGroups.OfBridge(options.Name);

    /// <summary>Whether it is of this bridge. A record that could not be sent has the place of its own topic.</summary>
    public bool IsOfThis(DeadLetter letter) => letter.Topic == _group
        || letter.Reason.StartsWith(BatchSender.ReasonPrefix(options.Name), StringComparison.Ordinal);

    /// <summary>Null when it has succeeded, or did at an earlier try; else why it cannot.</summary>
    public async ValueTask<string?> TryAsync(StoredDeadLetter stored, CancellationToken ct)
    {
        var letter = stored.Letter;
        if (letter is { Key: null, Headers.Count: 0, Value.Length: 0 }) return "the letter has nothing of its record";
        if (letter.Topic == _group) return await ToTelemetryAsync(stored, ct).ConfigureAwait(false);
        var output = outputs.FirstOrDefault(each => each.From == letter.Topic);
        if (output is null) return $"no output of {letter.Topic} is configured";
        return await output.TrySendAgainAsync(letter.ToRecord(), ct).ConfigureAwait(false);
    }

    private async ValueTask<string?> ToTelemetryAsync(StoredDeadLetter stored, CancellationToken ct)
    {
        var letter = stored.Letter;
        var failure = Map(letter, out var message, out var offending);
        if (failure != MappingFailure.None) return $"{RefusalReasons.Kebab(failure.ToString())}: {offending}";

        // The gateway may have ended after an earlier try had appended it and before that was said.
        if (await IsInLogAsync(letter.Id, stored.UpdatedAt, ct).ConfigureAwait(false)) return null;
        var partition = publisher.Of(publisher.PartitionOf(message!.DeviceId));
        var isDurable = await partition.PublishAsync((records, timestampMs) =>
        {
            BridgeEncoder.EncodeAgain(records, timestampMs, letter, message);
            return true;
        }).ConfigureAwait(false);
        return isDurable ? null : throw BridgeErrors.LogFailed.With(options.Name).AsException();
    }

    private MappingFailure Map(DeadLetter letter, out MappedMessage? message, out string? offending)
    {
        (message, offending) = (null, $"{letter.Value.Length} B");

        // Of a message that was too large the letter has the beginning alone.
        if (letter.Reason.StartsWith(RefusalReasons.Kebab(nameof(MappingFailure.TooLarge)), StringComparison.Ordinal))
            return MappingFailure.TooLarge;
        var topic = letter.Headers.FirstOrDefault(each => IsNamed(each, TelemetryHeaders.MqttTopic))?.Value ?? [];
        var failure = _mapping.Map(Encoding.UTF8.GetString(topic), letter.Value, out message, out offending);
        if (failure != MappingFailure.None) return failure;
        var prefix = Encoding.UTF8.GetString(TelemetryHeaders.ApplicationPrefix);
        var sent = letter.Headers.Count(each => each.Name.StartsWith(prefix, StringComparison.Ordinal));
        offending = $"{sent}";
        return sent + message!.Properties.Length > gateway.PropertiesMax
            ? MappingFailure.TooManyProperties
            : MappingFailure.None;
    }

    /// <summary>Looked for from when the replay was asked for.</summary>
    private async ValueTask<bool> IsInLogAsync(string id, DateTimeOffset askedAt, CancellationToken ct)
    {
        var header = Encoding.UTF8.GetBytes(id);
        for (var number = 0; number < publisher.Count; number++)
        {
            var partition = new TopicPartition(Contracts.Topics.Telemetry, number);
            var from = await log.OffsetAtAsync(partition, askedAt.ToUnixTimeMilliseconds() - ClockSkewMs, ct)
                .ConfigureAwait(false);
            var end = (await log.SettledRangeAsync(partition, ct).ConfigureAwait(false)).Next;
            await using var reader = log.OpenReader(partition, from);
            while (reader.Position < end && await reader.TryReadAsync(ct: ct).ConfigureAwait(false) is { } batch)
                if (Has(batch, header)) return true;
        }

        return false;
    }

    private static bool Has(RecordBatch batch, byte[] id)
    {
        foreach (var record in batch)
        {
            if (record.TryGetHeader(TelemetryHeaders.DeadLetter, out var known) && known.SequenceEqual(id)) return true;
        }

        return false;
    }

    private static bool IsNamed(DeadLetterHeader header, ReadOnlySpan<byte> name) =>
        header.Name == Encoding.UTF8.GetString(name);
}
