using Microsoft.Extensions.Logging;

namespace Millrace.EventLog.Kafka;

/// <summary>
/// Passes everything on, but what is tried again and again only once in a while: each of the clients tries each broker
/// several times a second and says so.
/// </summary>
internal sealed class QuietLog(ILogger log, TimeProvider time) : ILogger
{
    private const int KnownMax = 1_000;
    private static readonly TimeSpan OnceIn = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _saidAt = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => log.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id is Kafka.Log.ClientWarnedId or Kafka.Log.ClientFailedId or Kafka.Log.TopicWaitsId
            && IsSaid(formatter(state, exception))) return;
        log.Log(logLevel, eventId, state, exception, formatter);
    }

    /// <summary>What differs from time to time stands in parentheses.</summary>
    private bool IsSaid(string text)
    {
        var end = text.IndexOf('(');
        var known = end < 0 ? text : text[..end];
        lock (_gate)
        {
            if (_saidAt.TryGetValue(known, out var at) && time.GetElapsedTime(at) < OnceIn) return true;
            if (_saidAt.Count >= KnownMax) _saidAt.Clear();
            _saidAt[known] = time.GetTimestamp();
            return false;
        }
    }
}
