using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>Stopping the process where it is.</summary>
internal sealed partial class PlatformProcess
{
    private const int SigCont = 18, SigStop = 19;

    /// <summary>Stops the process where it is, as a machine that hangs would; or lets it go on.</summary>
    public void Pause(bool paused) =>
        Assert.That(Signal(_process!.Id, paused ? SigStop : SigCont), Is.Zero, "kill(SIGSTOP, SIGCONT)");

    /// <summary>
    /// Stops it, but never with a lock on the SQLite files that processes of one machine share: then all would stand
    /// still with it.
    /// </summary>
    public Task PauseBetweenWritesAsync() => Eventually.TrueAsync(async () =>
    {
        Pause(true);
        await Eventually.TrueAsync(() => Threads().All(state => state == 'T'), "all its threads have stopped");
        if (!HoldsLock()) return true;
        Pause(false);
        return false;
    }, "it is stopped between writes");

    /// <summary>What each thread does, by the letter that stands behind its name in parentheses.</summary>
    private IEnumerable<char> Threads() => Directory.GetDirectories($"/proc/{_process!.Id}/task")
        .Select(thread => File.ReadAllText(Path.Combine(thread, "stat")))
        .Select(stat => stat[stat.LastIndexOf(')') + 2]);

    /// <summary>SQLite's are POSIX locks; with one to write, it keeps others out.</summary>
    private bool HoldsLock() => File.ReadLines("/proc/locks")
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Any(held => held[1] == "POSIX" && held[3] == "WRITE" && held[4] == $"{_process!.Id}");
}
