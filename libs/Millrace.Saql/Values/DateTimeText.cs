namespace Millrace.Saql.Values;

/// <summary>Times as ISO 8601 text, in UTF-8. Ticks are 100 ns since the year 1, UTC.</summary>
internal static class DateTimeText
{
    /// <summary>2026-01-01T00:00:00.0000000Z</summary>
    public const int Length = 28;

    /// <summary>
    /// A date, or a date and a time parted by T or a blank, in the extended or the basic form (20260101T120000), to the
    /// hour at least, with any number of digits of fraction (those behind the seventh are cut off) and Z, an offset, or
    /// nothing (UTC).
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long ticks)
    {
        ticks = 0;
        text = text.Trim((byte)' ');
        if (!TryDigits(ref text, 4, out var year)) return false;
        var isExtended = TrySkip(ref text, '-');
        if (!TryDigits(ref text, 2, out var month) || TrySkip(ref text, '-') != isExtended
            || !TryDigits(ref text, 2, out var day))
            return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        ticks = new DateTime(year, month, day).Ticks;
        if (text.IsEmpty) return true;
        if (!TrySkip(ref text, 'T') && !TrySkip(ref text, ' ') && !TrySkip(ref text, 't')) return false;
        return TryTime(ref text, isExtended, ref ticks) && TryZone(text, ref ticks) && IsInRange(ticks);
    }

    public static bool IsInRange(long ticks) => ticks >= 0 && ticks <= DateTime.MaxValue.Ticks;

    public static int Write(long ticks, Span<byte> target)
    {
        var time = new DateTime(ticks);
        Digits(target, 0, 4, time.Year);
        target[4] = (byte)'-';
        Digits(target, 5, 2, time.Month);
        target[7] = (byte)'-';
        Digits(target, 8, 2, time.Day);
        target[10] = (byte)'T';
        Digits(target, 11, 2, time.Hour);
        target[13] = (byte)':';
        Digits(target, 14, 2, time.Minute);
        target[16] = (byte)':';
        Digits(target, 17, 2, time.Second);
        target[19] = (byte)'.';
        Digits(target, 20, 7, (int)(ticks % TimeSpan.TicksPerSecond));
        target[27] = (byte)'Z';
        return Length;
    }

    private static bool TryTime(ref ReadOnlySpan<byte> text, bool isExtended, ref long ticks)
    {
        if (!TryDigits(ref text, 2, out var hour)) return false;
        int minute = 0, second = 0;
        var hasMinute = IsNext(ref text, isExtended);
        if (hasMinute && !TryDigits(ref text, 2, out minute)) return false;
        var hasSecond = hasMinute && IsNext(ref text, isExtended);
        if (hasSecond && !TryDigits(ref text, 2, out second)) return false;
        if (hour > 23 || minute > 59 || second > 59) return false;
        ticks += new TimeSpan(hour, minute, second).Ticks;
        if (!hasSecond || (!TrySkip(ref text, '.') && !TrySkip(ref text, ','))) return true;
        var unit = TimeSpan.TicksPerSecond / 10;
        var digits = 0;
        for (; digits < text.Length && (uint)(text[digits] - '0') <= 9; digits++, unit /= 10)
            ticks += unit * (text[digits] - '0');
        text = text[digits..];
        return digits > 0;
    }

    /// <summary>Whether another part of the time follows: behind a colon, in the basic form at once.</summary>
    private static bool IsNext(ref ReadOnlySpan<byte> text, bool isExtended) =>
        isExtended ? TrySkip(ref text, ':') : text.Length > 0 && (uint)(text[0] - '0') <= 9;

    private static bool TryZone(ReadOnlySpan<byte> text, ref long ticks)
    {
        if (text.IsEmpty) return true;
        if (text.Length == 1) return text[0] is (byte)'Z' or (byte)'z';
        var sign = text[0] switch { (byte)'+' => 1, (byte)'-' => -1, _ => 0 };
        text = text[1..];
        if (sign == 0 || !TryDigits(ref text, 2, out var hours)) return false;
        var minutes = 0;
        TrySkip(ref text, ':');
        if (!text.IsEmpty && !TryDigits(ref text, 2, out minutes)) return false;
        if (!text.IsEmpty || hours > 14 || minutes > 59) return false;
        ticks -= sign * new TimeSpan(hours, minutes, 0).Ticks;
        return true;
    }

    private static bool TryDigits(ref ReadOnlySpan<byte> text, int count, out int number)
    {
        number = 0;
        if (text.Length < count) return false;
        for (var i = 0; i < count; i++)
        {
            var digit = text[i] - '0';
            if ((uint)digit > 9) return false;
            number = (number * 10) + digit;
        }

        text = text[count..];
        return true;
    }

    private static bool TrySkip(ref ReadOnlySpan<byte> text, char character)
    {
        if (text.IsEmpty || text[0] != character) return false;
        text = text[1..];
        return true;
    }

    private static void Digits(Span<byte> target, int at, int count, int number)
    {
        for (var i = at + count - 1; i >= at; i--, number /= 10) target[i] = (byte)('0' + (number % 10));
    }
}
