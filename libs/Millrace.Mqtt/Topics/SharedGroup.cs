namespace Millrace.Mqtt.Topics;

/// <summary>Those who share one subscription (MQTT 5 §4.8.2): each message is for one of them, by turns.</summary>
public sealed class SharedGroup<T>
    where T : notnull
{
    private readonly byte[] _name;
    private int _turn = -1;

    internal SharedGroup(ReadOnlySpan<byte> name) => _name = name.ToArray();

    internal ReadOnlySpan<byte> Name => _name;

    internal SubscriberList<T> Members { get; } = new();

    /// <summary>
    /// Adds all members to the list, from the one behind whose turn it was: for a message that this one could not take.
    /// </summary>
    public void AddTo(List<T> into)
    {
        var places = Members.Places;
        var behind = (uint)Volatile.Read(ref _turn) + 1;
        for (var i = 0u; i < places.Length; i++)
            if (places[(int)((behind + i) % (uint)places.Length)] is { } place) into.Add(place.Subscriber);
    }

    /// <summary>The one whose turn it is; when it is not ready, the next of the best.</summary>
    internal SubscriberList<T>.Place? Next(Func<T, MemberReadiness>? readinessOf)
    {
        var places = Members.Places;
        var turn = places.IsEmpty ? 0 : (int)((uint)Interlocked.Increment(ref _turn) % (uint)places.Length);
        SubscriberList<T>.Place? best = null;
        var readinessOfBest = MemberReadiness.Full;
        for (var i = 0; i < places.Length; i++)
        {
            if (places[(turn + i) % places.Length] is not { } place) continue;
            var readiness = readinessOf?.Invoke(place.Subscriber) ?? MemberReadiness.Ready;
            if (readiness == MemberReadiness.Ready) return place;
            if (best is null || readiness > readinessOfBest) (best, readinessOfBest) = (place, readiness);
        }

        return best;
    }
}
