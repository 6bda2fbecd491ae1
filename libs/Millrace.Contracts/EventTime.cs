using System.Text;

namespace Millrace.Contracts;

/// <summary>The rule of <see cref="TelemetryMessage.EventAt"/> for the header's bytes, without a string on the
/// way.</summary>
public static class EventTime
{
    private const int SecondsLength = 19;
    private const int FractionDigitsMax = 7;

    /// <summary>The message's event time, in milliseconds since 1970 UTC.</summary>
    /// <param name="creationTime">The creation-time header as UTF-8; empty when there is none.</param>
    public static long Choose(long enqueuedAtMs, ReadOnlySpan<byte> creationTime)
    {
        if (creationTime.IsEmpty) return enqueuedAtMs;
        return TryReadIso(creationTime, out var createdMs)
            ? TelemetryMessage.PlausibleOrEnqueued(enqueuedAtMs, createdMs)
            : TelemetryMessage.EventAt(enqueuedAtMs, Encoding.UTF8.GetString(creationTime));
    }

    /// <summary>Only <c>yyyy-MM-ddTHH:mm:ss[.f{1,7}]Z</c>, which is what devices send; the rest is not decided
    /// here.</summary>
    private static bool TryReadIso(ReadOnlySpan<byte> text, out long ms)
    {
        ms = 0;
        if (text.Length <= SecondsLength || text[^1] != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T'
            || text[13] != ':' || text[16] != ':') return false;
        if (!TryDigits(text[..4], out var year) || !TryDigits(text[5..7], out var month)
            || !TryDigits(text[8..10], out var day) || !TryDigits(text[11..13], out var hour)
            || !TryDigits(text[14..16], out var minute) || !TryDigits(text[17..19], out var second)) return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23
            || minute > 59 || second > 59) return false;
        var fractionMs = 0;
        var fraction = text[SecondsLength..^1];
        if (!fraction.IsEmpty)
        {
            if (fraction[0] != '.' || fraction.Length < 2 || fraction.Length > 1 + FractionDigitsMax
                || !TryDigits(fraction[1..], out var value)) return false;
            for (var digits = fraction.Length - 1; digits < 3; digits++) value *= 10;
            for (var digits = fraction.Length - 1; digits > 3; digits--) value /= 10;
            fractionMs = value;
        }

        var days = new DateOnly(year, month, day).DayNumber - new DateOnly(1970, 1, 1).DayNumber;
        ms = (((((days * 24L) + hour) * 60 + minute) * 60 + second) * 1000) + fractionMs;
        return true;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var character in text)
        {
            if (character is < (byte)'0' or > (byte)'9') return false;
            value = (value * 10) + (character - '0');
        }

        return true;
    }
}
