using System.Diagnostics;
using Millrace.Primitives;

namespace Millrace.Integration.Tests.Cassandra;

/// <summary>
/// Asks nodes that have just been in trouble, and share a machine: what they do not answer in time they are asked
/// again, as the platform itself does.
/// </summary>
internal static class Patient
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static async Task<T> AskAsync<T>(Func<ValueTask<T>> ask)
    {
        for (var started = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                return await ask();
            }
            catch (MillraceException) when (Stopwatch.GetElapsedTime(started) < Limit)
            {
                await Task.Delay(Pause, TimeProvider.System);
            }
        }
    }
}
