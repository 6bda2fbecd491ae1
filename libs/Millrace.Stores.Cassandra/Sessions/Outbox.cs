using Millrace.Stores.Sessions;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>Messages that are as good as queued: their sender's partition has them until their receivers' do.</summary>
/// <param name="Limits">Of the queues of those for which no others are said.</param>
/// <param name="Bodies">Each once, however many receive it.</param>
internal sealed record Outbox(
    Guid Id, long Number, QueueLimits Limits, IReadOnlyList<OutboxMessage> Messages, IReadOnlyList<byte[]> Bodies,
    DateTimeOffset At)
{
    public static Outbox Of(IReadOnlyList<SessionMessage> messages, long number, DateTimeOffset now)
    {
        // The roomiest for all: programs that know no others than these lose nothing that has room.
        var limits = new QueueLimits(messages.Select(one => one.Limits.MessagesMax).DefaultIfEmpty().Max(),
            messages.Select(one => one.Limits.BytesMax).DefaultIfEmpty().Max());
        var bodies = new List<byte[]>();
        var places = new Dictionary<byte[], int>(ReferenceEqualityComparer.Instance);
        var parts = messages.Select(one => new OutboxMessage(one.Key.DeviceId, one.Key.ClientId,
            one.Message with { Payload = [] }, PlaceOf(one.Message.Payload),
            one.Limits == limits ? null : one.Limits)).ToList();
        return new Outbox(Guid.NewGuid(), number, limits, parts, bodies, now);

        int PlaceOf(byte[] body)
        {
            if (places.TryGetValue(body, out var place)) return place;
            bodies.Add(body);
            return places[body] = bodies.Count - 1;
        }
    }

    /// <summary>What a queue knows a step of an outbox by. Steps are the same whoever makes them.</summary>
    public OutboxStep Step(int step)
    {
        var bytes = Id.ToByteArray();
        BitConverter.TryWriteBytes(bytes, BitConverter.ToInt32(bytes) ^ step);
        return new OutboxStep(new Guid(bytes), Number);
    }

    public List<SessionMessage> Whole() => [.. Messages.Select(one => new SessionMessage(
        new SessionKey(one.Device, one.Client), one.Message with { Payload = Bodies[one.Body] },
        one.Limits ?? Limits))];
}

/// <param name="Id">Of the step.</param>
/// <param name="Number">Of the outbox.</param>
internal readonly record struct OutboxStep(Guid Id, long Number);

/// <param name="Message">Without its body.</param>
/// <param name="Limits">Of its queue, when they are not the outbox's.</param>
internal sealed record OutboxMessage(
    string Device, string Client, OutboundMessage Message, int Body, QueueLimits? Limits = null);
