using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Millrace.Gateway.Authentication;

namespace Millrace.Gateway.Tests.Authentication;

public class RefusalLogTests
{
    [Test]
    public void A_device_is_logged_once_a_minute_and_no_text_of_its_own_gets_in()
    {
        var clock = new FakeTimeProvider();
        var lines = new Lines();
        var log = new RefusalLog(clock, lines);
        for (var i = 0; i < 5; i++) log.Refused("pump-1", "wrong-key", GatewayErrors.LoginRefused);
        log.Refused("line\nbreak", "name-invalid", GatewayErrors.LoginRefused);
        log.Refused("another\nbreak", "name-invalid", GatewayErrors.LoginRefused);
        Assert.That(lines.All, Has.Count.EqualTo(2));
        Assert.That(lines.All[0], Does.StartWith("GW-0005").And.Contain("pump-1").And.Contain("wrong-key"));
        Assert.That(lines.All[1], Does.Not.Contain("break"));

        clock.Advance(TimeSpan.FromSeconds(61));
        log.Refused("pump-1", "wrong-key", GatewayErrors.LoginRefused);
        Assert.That(lines.All, Has.Count.EqualTo(3));
    }

    [Test]
    public void Made_up_names_do_not_fill_the_log()
    {
        var lines = new Lines();
        var log = new RefusalLog(new FakeTimeProvider(), lines);
        for (var i = 0; i < 5_000; i++) log.Refused($"made-up-{i}", "unknown-device", GatewayErrors.LoginRefused);

        Assert.That(lines.All, Has.Count.EqualTo(1_000));
    }

    private sealed class Lines : ILogger<RefusalLog>
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            All.Add(formatter(state, exception));
    }
}
