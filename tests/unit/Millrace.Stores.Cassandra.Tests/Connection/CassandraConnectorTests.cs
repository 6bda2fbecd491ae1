using Microsoft.Extensions.Logging;
using Millrace.Hosting.Health;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Tests.Connection;

public class CassandraConnectorTests
{
    /// <summary>A name longer than names can be is no failure that the client knows.</summary>
    [Test]
    public async Task Whatever_keeps_it_from_connecting_is_told_and_tried_again()
    {
        using var told = new Messages();
        var options = new CassandraOptions { ContactPoints = new string('a', 300) };
        await using var connector = new CassandraConnector(options, TimeProvider.System, told);

        var answers = ((IAwaitedServer)connector).AnswersAsync(CancellationToken.None);
        await Task.WhenAny(told.First, answers);

        Assert.That(answers.IsCompleted, Is.False, answers.Exception?.ToString());
        Assert.That(await told.First, Does.Contain("aaa"));
    }

    private sealed class Messages : ILoggerFactory, ILogger
    {
        private readonly TaskCompletionSource<string> _first = new();

        public Task<string> First => _first.Task;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Warning) _first.TrySetResult(formatter(state, exception));
        }
    }
}
