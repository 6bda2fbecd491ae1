using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Millrace.EventLog.Kafka.Tests;

public class SizeLimitsNoticeTests
{
    [Test]
    public async Task Limits_in_bytes_that_somebody_has_set_are_said_to_have_no_effect()
    {
        Assert.That(await SaidAsync("TelemetryBytesMax", "OtherBytesMax"), Has.Count.EqualTo(1).And.All.StartsWith(
            "EventLog:Retention:TelemetryBytesMax, EventLog:Retention:OtherBytesMax have no effect on Kafka"));
        Assert.That(await SaidAsync("TelemetryAgeMax"), Is.Empty);
    }

    private static async Task<List<string>> SaidAsync(params string[] keys)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            keys.Select(key => KeyValuePair.Create($"EventLog:Retention:{key}", (string?)"1GiB"))).Build();
        var lines = new Lines();
        await new SizeLimitsNotice(configuration, lines).StartAsync(default);
        return lines.Said;
    }

    private sealed class Lines : ILogger<SizeLimitsNotice>
    {
        public List<string> Said { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Said.Add(formatter(state, exception));
    }
}
