using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Millrace.Contracts;
using Millrace.StreamProcessor.Sinks;

namespace Millrace.StreamProcessor.Tests;

public class DeadLetterLogTests
{
    [Test]
    public void The_first_of_a_kind_is_logged_and_those_of_the_next_minute_are_counted()
    {
        var (clock, lines) = (new FakeTimeProvider(), new Lines());
        var log = new DeadLetterLog(clock, lines);

        for (var i = 0; i < 100; i++) log.Add(Letter("hot", "SQ-0101", i));
        log.Add(Letter("cold", "SQ-0101", 0));
        log.Add(Letter("hot", "SQ-0102", 0));
        Assert.That(lines.Written, Has.Count.EqualTo(3));

        clock.Advance(TimeSpan.FromMinutes(1));
        log.Add(Letter("hot", "SQ-0101", 100));
        Assert.That(lines.Written, Has.Count.EqualTo(4));
        Assert.That(lines.Written[^1], Does.Contain("query hot").And.Contain("offset 100").And.Contain("99 more"));
    }

    private static DeadLetter Letter(string query, string code, long offset) => new(DeadLetterStages.Query, query, 1,
        Topics.Telemetry, 0, offset, 0, code, "Because.", default, default, null, 0, [], []);

    private sealed class Lines : ILogger<DeadLetterLog>
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Written.Add(formatter(state, exception));
    }
}
