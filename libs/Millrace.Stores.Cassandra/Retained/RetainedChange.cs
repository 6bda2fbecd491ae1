using System.Text;
using Millrace.Stores.Retained;

namespace Millrace.Stores.Cassandra.Retained;

/// <summary>What a space has in all. Each change of its messages counts the version up, by compare-and-set.</summary>
internal readonly record struct SpaceTotals(long? Version, long Messages, long Bytes);

/// <summary>Messages taken one after the other into a space, before any of it is written.</summary>
/// <param name="sizes">The bytes of those that topics have, as far as they are asked for.</param>
internal sealed class RetainedChange(SpaceTotals totals, Dictionary<string, long> sizes, RetainedLimits limits)
{
    private readonly Dictionary<string, RetainedMessage?> _changed = [];

    public SpaceTotals Totals { get; private set; } = totals;

    /// <summary>By topic; null: it has none any more.</summary>
    public IReadOnlyDictionary<string, RetainedMessage?> Changed => _changed;

    public static long Bytes(RetainedMessage message) =>
        (long)Encoding.UTF8.GetByteCount(message.Topic) + message.Properties.Length + message.Payload.Length;

    public RetainOutcome Take(RetainedMessage message)
    {
        var isThere = sizes.Remove(message.Topic, out var old);
        var (messages, bytes) = (Totals.Messages - (isThere ? 1 : 0), Totals.Bytes - old);
        if (message.Payload.Length == 0)
        {
            Totals = Totals with { Messages = messages, Bytes = bytes };
            if (isThere) _changed[message.Topic] = null;
            return RetainOutcome.Cleared;
        }

        var size = Bytes(message);
        if (messages + 1 > limits.MessagesMax || bytes + size > limits.BytesMax)
        {
            if (isThere) sizes.Add(message.Topic, old);
            return RetainOutcome.Full;
        }

        Totals = Totals with { Messages = messages + 1, Bytes = bytes + size };
        sizes.Add(message.Topic, size);
        _changed[message.Topic] = message;
        return RetainOutcome.Retained;
    }
}
