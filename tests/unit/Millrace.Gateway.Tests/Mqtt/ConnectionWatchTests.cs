using Microsoft.Extensions.Time.Testing;
using Millrace.Gateway.Mqtt;
using Millrace.TestKit;

namespace Millrace.Gateway.Tests.Mqtt;

public class ConnectionWatchTests
{
    /// <summary>Else a gateway that starts slowly ends whoever comes before the first look, as if too late.</summary>
    [Test]
    public async Task Seconds_count_from_when_it_runs_and_not_from_when_it_was_made()
    {
        var time = new FakeTimeProvider();
        var watch = new ConnectionWatch(new ConnectionTable(), time);
        time.Advance(TimeSpan.FromMinutes(1));
        using var stop = new CancellationTokenSource();
        var running = watch.RunAsync(stop.Token);
        Assert.That(watch.NowSeconds, Is.Zero);
        for (var second = 1; second <= 3; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Eventually.TrueAsync(() => watch.NowSeconds == second, $"it looks after {second} s");
        }

        await stop.CancelAsync();
        await running;
    }
}
