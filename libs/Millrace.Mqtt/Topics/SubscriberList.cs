namespace Millrace.Mqtt.Topics;

/// <summary>
/// Subscribers of one filter, as they are at one time. Lists that follow one another by adding share an array: what
/// comes after a list's own count is no concern of its readers.
/// </summary>
internal sealed class SubscriberList<T>(T[] items, int count)
{
    public ReadOnlySpan<T> Items => items.AsSpan(0, count);

    public static SubscriberList<T> Of(T one) => new([one], 1);

    /// <summary>To be called on the newest list alone.</summary>
    public SubscriberList<T> Add(T one)
    {
        var room = items;
        if (count == items.Length) Array.Resize(ref room, count * 2);
        room[count] = one;
        return new SubscriberList<T>(room, count + 1);
    }

    /// <summary>Null when it was the last; the list itself when it is not in it.</summary>
    public SubscriberList<T>? Remove(T one)
    {
        var index = Array.IndexOf(items, one, 0, count);
        if (index < 0) return this;
        if (count == 1) return null;
        var rest = new T[count - 1];
        Items[..index].CopyTo(rest);
        Items[(index + 1)..].CopyTo(rest.AsSpan(index));
        return new SubscriberList<T>(rest, rest.Length);
    }
}
