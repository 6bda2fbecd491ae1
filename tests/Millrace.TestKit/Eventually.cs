using System.Diagnostics;

namespace Millrace.TestKit;

/// <summary>Waits for what must become true, and says what did not.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    public static Task TrueAsync(Func<ValueTask<bool>> condition, string what, TimeSpan? timeout = null) =>
        TrueAsync(condition, () => what, timeout);

    /// <param name="what">Asked when it did not become true.</param>
    public static async Task TrueAsync(Func<ValueTask<bool>> condition, Func<string> what, TimeSpan? timeout = null)
    {
        var watch = Stopwatch.StartNew();
        var limit = timeout ?? TimeSpan.FromSeconds(20);
        while (!await condition().ConfigureAwait(false))
        {
            if (watch.Elapsed > limit) throw new TimeoutException($"Not within {limit.TotalSeconds} s: {what()}");
            await Task.Delay(Pause, TimeProvider.System).ConfigureAwait(false);
        }
    }

    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? timeout = null) =>
        TrueAsync(condition, () => what, timeout);

    public static Task TrueAsync(Func<bool> condition, Func<string> what, TimeSpan? timeout = null) =>
        TrueAsync(() => new ValueTask<bool>(condition()), what, timeout);
}
