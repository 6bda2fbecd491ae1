namespace Millrace.Gateway.Limits;

/// <summary>What may be read now.</summary>
internal readonly record struct Allowance(long Messages, long Bytes)
{
    public static readonly Allowance Unlimited = new(long.MaxValue, long.MaxValue);

    public Allowance Least(Allowance other) =>
        new(Math.Min(Messages, other.Messages), Math.Min(Bytes, other.Bytes));
}

/// <summary>
/// What has come of late, from the hub or from one device, against what may. A connection asks before it takes packets
/// out of a read, and says afterwards how many they were.
/// </summary>
internal class TrafficMeter
{
    private readonly Lock _gate = new();
    private readonly long _bytesPerSecond;
    private readonly long _messagesPerDay;
    private readonly long _bytesPerDay;
    private volatile bool _hasRate;
    private TokenBucket _connects;
    private TokenBucket _messages;
    private TokenBucket _bytes;
    private long _day;
    private long _messagesToday;
    private long _bytesToday;

    public TrafficMeter(TrafficOptions limits, TimeSpan burst)
    {
        _bytesPerSecond = limits.BytesPerSecond?.Bytes ?? 0;
        _hasRate = limits.MessagesPerSecond > 0 || _bytesPerSecond > 0;
        _connects = new TokenBucket(limits.ConnectsPerSecond ?? 0, burst);
        _messages = new TokenBucket(limits.MessagesPerSecond ?? 0, burst);
        _bytes = new TokenBucket(_bytesPerSecond, burst);
        _messagesPerDay = limits.MessagesPerDay is > 0 and var messages ? messages : long.MaxValue;
        _bytesPerDay = limits.BytesPerDay?.Bytes is > 0 and var bytes ? bytes : long.MaxValue;
    }

    /// <summary>Holds to this rate of bytes, too, in place of the one that was named before.</summary>
    public void HoldTo(double bytesPerSecond)
    {
        lock (_gate)
        {
            _bytes = _bytes.At(_bytesPerSecond > 0 ? Math.Min(_bytesPerSecond, bytesPerSecond) : bytesPerSecond);
            _hasRate = true;
        }
    }

    /// <summary>Takes a place among the connects; how long it is away, or that it is too far.</summary>
    public bool TryConnect(long nowNs, TimeSpan waitMax, out TimeSpan wait)
    {
        lock (_gate)
        {
            wait = _connects.Wait(nowNs);
            if (wait > waitMax) return false;
            _connects.Take(1, nowNs);
            return true;
        }
    }

    public Allowance Ask(long nowNs)
    {
        if (!_hasRate) return Allowance.Unlimited;
        lock (_gate) return new Allowance(_messages.Available(nowNs), _bytes.Available(nowNs));
    }

    public void Charge(int messages, long bytes, long nowNs)
    {
        if (!_hasRate) return;
        lock (_gate)
        {
            _messages.Take(messages, nowNs);
            _bytes.Take(bytes, nowNs);
        }
    }

    /// <summary>How long until something may be read again.</summary>
    public TimeSpan Wait(long nowNs)
    {
        lock (_gate)
        {
            var messages = _messages.Wait(nowNs);
            var bytes = _bytes.Wait(nowNs);
            return messages > bytes ? messages : bytes;
        }
    }

    /// <summary>Counts a publish; false, and not counted by anyone, when it is too much for the day.</summary>
    /// <param name="day">Days since 1970 in UTC.</param>
    /// <param name="with">Counts it too: it is too much when it is so for either.</param>
    public bool TryCount(long day, long bytes, TrafficMeter? with = null)
    {
        if (_messagesPerDay == long.MaxValue && _bytesPerDay == long.MaxValue)
            return with is null || with.TryCount(day, bytes);
        lock (_gate)
        {
            // Partitions stamp times of their own: one may be in yesterday for a moment longer than another.
            if (day > _day) (_day, _messagesToday, _bytesToday) = (day, 0, 0);
            if (_messagesToday >= _messagesPerDay || bytes > _bytesPerDay - _bytesToday) return false;
            if (with is not null && !with.TryCount(day, bytes)) return false;
            _messagesToday++;
            _bytesToday += bytes;
            return true;
        }
    }

    /// <summary>Nothing would be different if this meter were made anew.</summary>
    public bool IsIdle(long nowNs, long day)
    {
        lock (_gate)
        {
            var isUnused = _day < day || _messagesToday == 0;
            return isUnused && _connects.IsFull(nowNs) && _messages.IsFull(nowNs) && _bytes.IsFull(nowNs);
        }
    }
}
