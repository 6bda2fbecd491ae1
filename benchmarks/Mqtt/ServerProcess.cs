using System.Diagnostics;
using System.Globalization;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>A broker under load, in a process of its own, and what the system says about it.</summary>
internal abstract class ServerProcess(string name) : IDisposable
{
    private const double TicksPerSecond = 100;

    private Process? _process;

    public string Name => name;

    public int Port { get; protected set; }

    public int TlsPort { get; protected set; }

    protected Process Process => _process ?? throw new InvalidOperationException($"{name} does not run.");

    /// <summary>User and system time of all its threads.</summary>
    public double CpuSeconds()
    {
        var fields = File.ReadAllText($"/proc/{Process.Id}/stat").Split(')')[^1].Split(' ');
        return (Parse(fields[12]) + Parse(fields[13])) / TicksPerSecond;
    }

    /// <summary>Resident memory in bytes: all of it, and the part that no file is behind.</summary>
    public (double Resident, double Anonymous) Memory()
    {
        var lines = File.ReadAllLines($"/proc/{Process.Id}/smaps_rollup");
        return (Of("Rss:"), Of("Anonymous:"));

        double Of(string key) => 1024 * Parse(lines.First(line => line.StartsWith(key, StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    /// <summary>Lets go of what is not needed any more, so that what is counted is what is kept; the managed bytes.
    /// </summary>
    public virtual double Collect() => 0;

    public virtual void Dispose()
    {
        if (_process is null) return;
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    protected void Start(ProcessStartInfo start) => _process = Process.Start(start);

    private static double Parse(string number) => double.Parse(number, CultureInfo.InvariantCulture);
}
