using System.Diagnostics;
using System.Text;

namespace Millrace.Benchmarks.Alert;

/// <summary>Devices that are connected, and what they publish.</summary>
internal sealed class AlertLoad(IReadOnlyList<MqttPublisher> publishers) : IDisposable
{
    public const int Window = 16, AlarmEvery = 100;
    public static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(4);

    private const int DueMax = 200;
    private long _sent;

    public static ReadOnlySpan<byte> AlarmStart => "{\"alarm\":1"u8;

    /// <summary>Messages that were acknowledged since the start.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Messages a second that were acknowledged. 0 asks for as many as there can be.</summary>
    public async Task<double> RunAsync(double perSecond)
    {
        var started = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(publishers.Select(p => Task.Run(() => perSecond == 0
            ? FloodAsync(p, started) : PaceAsync(p, started, perSecond / publishers.Count))));
        Interlocked.Add(ref _sent, counts.Sum());
        return counts.Sum() / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    public void Dispose()
    {
        foreach (var publisher in publishers) publisher.Dispose();
    }

    private static async Task<long> FloodAsync(MqttPublisher publisher, long started)
    {
        var sent = 0L;
        while (Stopwatch.GetElapsedTime(started) < RoundTime)
        {
            await publisher.PublishAsync([.. Enumerable.Range(0, Window).Select(_ => Body(sent++))]);
        }

        return sent;
    }

    /// <summary>Sends what is due, waits for it, and then for the next; what it fell behind is sent at once.</summary>
    private static async Task<long> PaceAsync(MqttPublisher publisher, long started, double perSecond)
    {
        var sent = 0L;
        while (Stopwatch.GetElapsedTime(started) is var elapsed && elapsed < RoundTime)
        {
            var due = Math.Min((long)(elapsed.TotalSeconds * perSecond) - sent, DueMax);
            if (due > 0) await publisher.PublishAsync([.. Enumerable.Range(0, (int)due).Select(_ => Body(sent++))]);
            else await Task.Delay(UntilDue(sent + 1, started, perSecond), TimeProvider.System);
        }

        return sent;
    }

    /// <summary>How long until a message is due: looking each millisecond would cost more than all else.</summary>
    private static TimeSpan UntilDue(long number, long started, double perSecond)
    {
        var wait = TimeSpan.FromSeconds(number / perSecond) - Stopwatch.GetElapsedTime(started);
        return TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds)));
    }

    private static byte[] Body(long number) => Encoding.UTF8.GetBytes(
        $$"""{"alarm":{{(number % AlarmEvery == 0 ? 1 : 0)}},"sent":{{Stopwatch.GetTimestamp()}}}""");
}
