using System.Diagnostics;
using System.Globalization;
using Millrace.Hostile;

namespace Millrace.Integration.Tests.Hostile;

/// <summary>
/// The attackers in a process of their own, held to a share of one core. It runs under the scheduler's idle policy:
/// real ones are on machines of their own, and only what they send takes time of the gateway's processor. A niced
/// process would not do, for the kernel lets it finish its slice of some milliseconds while other threads wait.
/// </summary>
internal sealed class HostileProcess : IDisposable
{
    private readonly Process _process;

    public HostileProcess(AttackTarget target, double cores, int seed)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Millrace.Hostile.dll");
        _process = Process.Start(new ProcessStartInfo("chrt",
        [
            "--idle", "0", Environment.ProcessPath!, "exec", program, $"{target.Port}", $"{target.TlsPort}", target.Key,
            $"{target.Devices}", $"{target.Scale}", $"{seed}", cores.ToString(CultureInfo.InvariantCulture),
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    /// <summary>Attacks for a time, and gives how often each attack has struck.</summary>
    public async Task<string> AttackAsync(TimeSpan time)
    {
        await _process.StandardInput.WriteLineAsync(time.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        await _process.StandardInput.FlushAsync();
        var lines = new List<string>();
        while (await _process.StandardOutput.ReadLineAsync() is { Length: > 0 } line) lines.Add(line);
        Assert.That(lines, Is.Not.Empty, "the attackers have ended");
        return string.Join('\n', lines);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }
}
