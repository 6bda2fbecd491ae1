namespace Millrace.Mqtt;

/// <summary>Topic filters: what is subscribed to (MQTT 5 §4.7).</summary>
public static class TopicFilter
{
    private static ReadOnlySpan<byte> SharedPrefix => "$share/"u8;

    /// <summary>Wildcards stand alone in their level, and # in the last one only.</summary>
    public static bool IsValid(ReadOnlySpan<byte> filter)
    {
        if (filter.IsEmpty) return false;
        for (var i = 0; i < filter.Length; i++)
        {
            if (filter[i] is not ((byte)'+' or (byte)'#')) continue;
            var first = i == 0 || filter[i - 1] == '/';
            var last = i == filter.Length - 1;
            if (!first) return false;
            if (!last && (filter[i] == '#' || filter[i + 1] != '/')) return false;
        }

        return true;
    }

    /// <summary>Whether it asks for a shared subscription (§4.8.2).</summary>
    public static bool IsShared(ReadOnlySpan<byte> filter) => filter.StartsWith(SharedPrefix);
}
