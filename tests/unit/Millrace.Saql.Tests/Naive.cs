using System.Globalization;
using System.Text;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>An event as the tests make it: times in milliseconds since <see cref="Naive.Epoch"/>.</summary>
/// <param name="Text">The fields w and W.</param>
/// <param name="Nested">More members of its body, as <see cref="NaiveNested.Make"/> gives them.</param>
/// <param name="LateAt">Of a late one the offset that it is taken before; else null.</param>
internal sealed record NaiveEvent(
    TopicPartition Source, long Offset, int Element, string Device, long EnqueuedMs, long EventMs, int Room, long? X,
    NaiveText Text, string Nested, long? LateAt = null)
{
    /// <summary>The offset that it is taken at.</summary>
    public long Position => LateAt ?? Offset;

    public string Body => X is null
        ? $"{{\"ts\":\"{Naive.Time(EventMs * Naive.Ms)}\",\"room\":{Room}{Text.Members}{Nested}}}"
        : $"{{\"x\":{X},\"ts\":\"{Naive.Time(EventMs * Naive.Ms)}\",\"room\":{Room}{Text.Members}{Nested}}}";
}

/// <param name="IsBehindLate">It is told behind the late events at its offset.</param>
internal sealed record NaiveMark(TopicPartition Source, long Offset, long ArrivalMs, bool IsBehindLate);

/// <summary>A value of a row as it is written.</summary>
internal sealed record NaiveJson(string Text);

/// <summary>
/// What windows and policies mean, by keeping every event and looking at all of them: the opposite of the engine.
/// When a row is (At, End) is in ticks since the epoch, and how long something takes in milliseconds.
/// </summary>
internal static class Naive
{
    public static readonly DateTime Epoch = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public const long Ms = TimeSpan.TicksPerMillisecond;

    public static string Time(long ticks) =>
        Epoch.AddTicks(ticks).ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);

    /// <summary>The events that the policies let pass, with their timestamps, in the order of the query.</summary>
    /// <param name="arrived">With when they arrived, in the order in which each source has them.</param>
    /// <param name="overRoom">Each room has an order of its own.</param>
    public static List<(long At, NaiveEvent Event)> Ordered(
        IEnumerable<(long Arrival, NaiveEvent Event)> arrived, bool byEventTime, bool overRoom, long late,
        long outOfOrder, bool drop, out int dropped)
    {
        if (!byEventTime)
        {
            dropped = 0;
            return InOrder(arrived);
        }

        var taken = new List<(long At, NaiveEvent Event)>();
        dropped = 0;
        foreach (var source in arrived.GroupBy(one => one.Event.Source))
        {
            var highest = new Dictionary<int, long>();
            foreach (var (arrival, e) in source)
            {
                var at = e.EventMs * Ms;
                var isEarly = at - arrival > 300_000 * Ms;
                var isLate = arrival - at > late;
                if (isLate && !drop) at = arrival - late;
                var room = overRoom ? e.Room : 0;
                var least = highest.TryGetValue(room, out var known) ? known - outOfOrder : long.MinValue;
                var isBelow = at < least;
                if (isEarly || (drop && (isLate || isBelow)))
                {
                    dropped++;
                    continue;
                }

                if (isBelow) at = least;
                // All that came before is behind it, also what time has come to.
                if (e.LateAt is not null) at = Math.Max(at, Math.Max(least, arrival - late) + 1);
                highest[room] = Math.Max(highest.GetValueOrDefault(room, long.MinValue), at);
                taken.Add((at, e));
            }
        }

        return InOrder(taken);
    }

    /// <summary>
    /// Events with when they arrived, in the order in which each source has them. A late one moves no arrival, unless
    /// it comes first, or the arrival is the time.
    /// </summary>
    public static List<(long Arrival, NaiveEvent Event)> Arrived(
        IEnumerable<NaiveEvent> events, IReadOnlyList<NaiveMark> marks, bool byEventTime)
    {
        var arrived = new List<(long, NaiveEvent)>();
        foreach (var source in events.GroupBy(e => e.Source))
        {
            var arrival = long.MinValue;
            foreach (var e in source.OrderBy(e => e.Position).ThenBy(e => e.LateAt is null))
            {
                // Also records of no events arrive.
                if (e.Position > 0) arrival = Math.Max(arrival, 0);
                foreach (var mark in marks.Where(m => m.Source == e.Source && m.Offset <= e.Position
                    && (e.LateAt != m.Offset || !m.IsBehindLate)))
                    arrival = Math.Max(arrival, mark.ArrivalMs * Ms);
                if (e.LateAt is null || arrival == long.MinValue) arrival = Math.Max(arrival, e.EnqueuedMs * Ms);
                if (e.LateAt is not null && !byEventTime) arrival++;
                arrived.Add((arrival, e));
            }
        }

        return arrived;
    }

    /// <summary>Events of several sources in the order of the query.</summary>
    public static List<(long At, NaiveEvent Event)> InOrder(IEnumerable<(long At, NaiveEvent Event)> taken) =>
    [
        .. taken.OrderBy(t => t.At).ThenBy(t => t.Event.Source).ThenBy(t => t.Event.Offset)
            .ThenBy(t => t.Event.Element),
    ];

    /// <summary>The rows of a window, by the end of the window and then by the first event of the group.</summary>
    public static List<(long End, TKey Key, List<TRow> Rows)> Windows<TRow, TKey>(
        IReadOnlyList<(long At, TRow Row)> rows, long sizeMs, long hopMs, long offsetMs, Func<TRow, TKey> key)
        where TKey : notnull => WindowsOfTicks(rows, sizeMs * Ms, hopMs * Ms, offsetMs * Ms, key);

    /// <summary>The same of the rows of one timestamp.</summary>
    public static List<(long End, TKey Key, List<TRow> Rows)> Instants<TRow, TKey>(
        IReadOnlyList<(long At, TRow Row)> rows, Func<TRow, TKey> key) where TKey : notnull =>
        WindowsOfTicks(rows, 1, 1, 0, key);

    private static List<(long End, TKey Key, List<TRow> Rows)> WindowsOfTicks<TRow, TKey>(
        IReadOnlyList<(long At, TRow Row)> rows, long size, long hop, long offset, Func<TRow, TKey> key)
        where TKey : notnull
    {
        var result = new List<(long, TKey, List<TRow>)>();
        var ends = new SortedSet<long>();
        // The epoch of the tests is a whole number of the sizes that they use away from the year 1.
        foreach (var (at, _) in rows)
        {
            for (var end = (long)Math.Ceiling((at - offset) / (double)hop) * hop + offset; end < at + size; end += hop)
                ends.Add(end);
        }

        foreach (var end in ends)
        {
            var inside = rows.Where(row => row.At > end - size && row.At <= end).Select(row => row.Row);
            foreach (var group in inside.GroupBy(key)) result.Add((end, group.Key, [.. group]));
        }

        return result;
    }

    /// <summary>The rooms that change at an instant, with their events of the time before it.</summary>
    public static List<(long End, int Room, List<NaiveEvent> Events)> Sliding(
        List<(long At, NaiveEvent Event)> rows, long sizeMs)
    {
        var size = sizeMs * Ms;
        var result = new List<(long, int, List<NaiveEvent>)>();
        foreach (var now in rows.SelectMany(row => new[] { row.At, row.At + size }).Distinct().Order())
        {
            var inside = rows.Where(row => row.At > now - size && row.At <= now).GroupBy(row => row.Event.Room);
            foreach (var room in inside)
            {
                if (rows.Any(row => row.Event.Room == room.Key && (row.At == now || row.At + size == now)))
                    result.Add((now, room.Key, [.. room.Select(row => row.Event)]));
            }
        }

        return result;
    }

    /// <summary>The rooms of sessions; with <paramref name="areOwn"/> each room has its own.</summary>
    public static List<(long End, int Room, List<NaiveEvent> Events)> Sessions(
        List<(long At, NaiveEvent Event)> rows, long timeoutMs, long longestMs, bool areOwn)
    {
        var (timeout, longest) = (timeoutMs * Ms, longestMs * Ms);
        var ended = new List<(long End, int Began, List<NaiveEvent> Events)>();
        foreach (var one in rows.Select((row, i) => (row.At, row.Event, Index: i))
            .GroupBy(row => areOwn ? row.Event.Room : 0))
        {
            List<NaiveEvent> events = [];
            var (start, last, began) = (0L, 0L, 0);
            foreach (var (at, e, index) in one)
            {
                if (events.Count > 0 && at > End(start, last))
                {
                    ended.Add((End(start, last), began, events));
                    events = [];
                }

                if (events.Count == 0) (start, began) = (at, index);
                last = at;
                events.Add(e);
            }

            ended.Add((End(start, last), began, events));
        }

        return [.. ended.OrderBy(session => session.End).ThenBy(session => session.Began).SelectMany(session =>
            session.Events.GroupBy(e => e.Room).Select(room => (session.End, room.Key, room.ToList())))];

        // The epoch of the tests is a whole number of the longest duration away from the year 1.
        long End(long start, long last) =>
            Math.Min(last + timeout, (long)Math.Ceiling((start + longest) / (double)longest) * longest);
    }

    /// <summary>Null when nothing is known.</summary>
    public static long? Sum(IEnumerable<long?> values)
    {
        var known = values.OfType<long>().ToList();
        return known.Count == 0 ? null : known.Sum();
    }

    /// <summary>How many boundaries of seconds lie between two times.</summary>
    public static long Seconds(long from, long to) => (to / TimeSpan.TicksPerSecond) - (from / TimeSpan.TicksPerSecond);

    public static string Row(params (string Name, object? Value)[] members)
    {
        var text = new StringBuilder("{");
        foreach (var (name, value) in members)
        {
            if (text.Length > 1) text.Append(',');
            text.Append('"').Append(name).Append("\":").Append(value switch
            {
                null => "null",
                string s => $"\"{s}\"",
                NaiveJson json => json.Text,
                double d => d == Math.Truncate(d) ? d.ToString("0.0", CultureInfo.InvariantCulture)
                    : d.ToString("R", CultureInfo.InvariantCulture),
                _ => Convert.ToString(value, CultureInfo.InvariantCulture),
            });
        }

        return text.Append('}').ToString();
    }
}
