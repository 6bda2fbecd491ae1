using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Millrace.TestKit;

/// <summary>Keeps what was logged.</summary>
public sealed class LogLines : ILoggerFactory, ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, int Event, string Text)> _lines = [];

    /// <summary>All lines, each behind its level.</summary>
    public IReadOnlyList<string> All => [.. _lines.Select(line => $"{line.Level}: {line.Text}")];

    /// <summary>The lines of an event.</summary>
    public IReadOnlyList<string> Of(int eventId) =>
        [.. _lines.Where(line => line.Event == eventId).Select(line => line.Text)];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((logLevel, eventId.Id, formatter(state, exception)));

    public void Dispose()
    {
        // The lines are still looked at.
    }
}
