using System.Globalization;
using System.Text;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>An event as the tests make it: times in milliseconds since <see cref="Naive.Epoch"/>.</summary>
/// <param name="Nested">More members of its body, as <see cref="NaiveNested.Make"/> gives them.</param>
internal sealed record NaiveEvent(
    TopicPartition Source, long Offset, int Element, string Device, long EnqueuedMs, long EventMs, int Room, long? X,
    string Nested)
{
    public string Body => X is null
        ? $"{{\"ts\":\"{Naive.Time(EventMs)}\",\"room\":{Room}{Nested}}}"
        : $"{{\"x\":{X},\"ts\":\"{Naive.Time(EventMs)}\",\"room\":{Room}{Nested}}}";
}

internal sealed record NaiveMark(TopicPartition Source, long Offset, long ArrivalMs);

/// <summary>A value of a row as it is written.</summary>
internal sealed record NaiveJson(string Text);

/// <summary>
/// What windows and policies mean, by keeping every event and looking at all of them: the opposite of the engine.
/// </summary>
internal static class Naive
{
    public static readonly DateTime Epoch = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static string Time(long ms) =>
        Epoch.AddMilliseconds(ms).ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);

    /// <summary>The events that the policies let pass, with their timestamps, in the order of the query.</summary>
    /// <param name="overRoom">Each room has an order of its own.</param>
    public static List<(long At, NaiveEvent Event)> Ordered(
        IEnumerable<NaiveEvent> events, IEnumerable<NaiveMark> marks, bool byEventTime, bool overRoom, long late,
        long outOfOrder, bool drop, out int dropped)
    {
        var taken = new List<(long At, NaiveEvent Event)>();
        dropped = 0;
        foreach (var source in events.GroupBy(e => e.Source))
        {
            var arrival = long.MinValue;
            var highest = new Dictionary<int, long>();
            foreach (var e in source.OrderBy(e => e.Offset).ThenBy(e => e.Element))
            {
                foreach (var mark in marks.Where(m => m.Source == e.Source && m.Offset <= e.Offset))
                    arrival = Math.Max(arrival, mark.ArrivalMs);
                arrival = Math.Max(arrival, e.EnqueuedMs);
                if (!byEventTime)
                {
                    taken.Add((arrival, e));
                    continue;
                }

                var at = e.EventMs;
                var isEarly = at - arrival > 300_000;
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
                highest[room] = Math.Max(highest.GetValueOrDefault(room, long.MinValue), at);
                taken.Add((at, e));
            }
        }

        return InOrder(taken);
    }

    /// <summary>Events of several sources in the order of the query.</summary>
    public static List<(long At, NaiveEvent Event)> InOrder(IEnumerable<(long At, NaiveEvent Event)> taken) =>
    [
        .. taken.OrderBy(t => t.At).ThenBy(t => t.Event.Source).ThenBy(t => t.Event.Offset)
            .ThenBy(t => t.Event.Element),
    ];

    /// <summary>The rows of a window, by the end of the window and then by the first event of the group.</summary>
    public static List<(long End, TKey Key, List<TRow> Rows)> Windows<TRow, TKey>(
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
        List<(long At, NaiveEvent Event)> rows, long size)
    {
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
        List<(long At, NaiveEvent Event)> rows, long timeout, long longest, bool areOwn)
    {
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
