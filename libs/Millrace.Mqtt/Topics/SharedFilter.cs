namespace Millrace.Mqtt.Topics;

/// <summary>A filter of the form $share/group/filter (MQTT 5 §4.8.2).</summary>
public static class SharedFilter
{
    private static ReadOnlySpan<byte> Prefix => "$share/"u8;

    /// <summary>False when it is not shared, or its group or its filter is not valid.</summary>
    public static bool TryParse(
        ReadOnlySpan<byte> text, out ReadOnlySpan<byte> group, out ReadOnlySpan<byte> filter)
    {
        group = filter = default;
        if (!text.StartsWith(Prefix)) return false;
        var rest = text[Prefix.Length..];
        var end = rest.IndexOf((byte)'/');
        if (end <= 0 || rest[..end].ContainsAny((byte)'+', (byte)'#')) return false;
        group = rest[..end];
        filter = rest[(end + 1)..];
        return TopicFilter.IsValid(filter);
    }
}
