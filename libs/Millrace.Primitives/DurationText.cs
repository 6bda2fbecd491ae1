using System.Globalization;

namespace Millrace.Primitives;

/// <summary>
/// Durations as users write them: <c>100us</c>, <c>500ms</c>, <c>5s</c>, <c>10m</c>, <c>1h</c>, <c>7d</c>.
/// </summary>
public static class DurationText
{
    private static readonly (string Suffix, TimeSpan Unit)[] Units =
    [
        ("us", TimeSpan.FromMicroseconds(1)), ("ms", TimeSpan.FromMilliseconds(1)), ("s", TimeSpan.FromSeconds(1)),
        ("m", TimeSpan.FromMinutes(1)), ("h", TimeSpan.FromHours(1)), ("d", TimeSpan.FromDays(1)),
    ];

    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = default;
        foreach (var (suffix, unit) in Units)
        {
            if (text is null || !text.EndsWith(suffix, StringComparison.Ordinal)) continue;
            var digits = text.AsSpan(0, text.Length - suffix.Length);
            if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count)) continue;
            if (count > TimeSpan.MaxValue.Ticks / unit.Ticks) return false;
            duration = TimeSpan.FromTicks(count * unit.Ticks);
            return true;
        }

        return false;
    }

    /// <summary>The duration in <paramref name="text"/>, or an error MR-0002.</summary>
    public static TimeSpan Parse(string text) =>
        TryParse(text, out var duration) ? duration : throw PrimitiveErrors.DurationInvalid.With(text).AsException();

    /// <summary>The shortest text that gives this duration again, to the microsecond.</summary>
    public static string Format(TimeSpan duration)
    {
        foreach (var (suffix, unit) in Units.Reverse())
        {
            if (duration.Ticks != 0 &&
                duration.Ticks % unit.Ticks == 0) return $"{duration.Ticks / unit.Ticks}{suffix}";
        }

        return $"{(long)duration.TotalMilliseconds}ms";
    }
}
