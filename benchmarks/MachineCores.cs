using System.Globalization;

namespace Millrace.Benchmarks;

/// <summary>
/// How busy all cores of the machine are, whoever it is that works, since this was made (proc(5), stat).
/// </summary>
internal sealed class MachineCores
{
    private const int Idle = 3, IoWait = 4, Steal = 7;

    private readonly (double Busy, double All) _before = Read();

    public double Busy
    {
        get
        {
            var (busy, all) = Read();
            return (busy - _before.Busy) / (all - _before.All);
        }
    }

    private static (double Busy, double All) Read()
    {
        var times = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Skip(1).Take(Steal + 1).Select(time => double.Parse(time, CultureInfo.InvariantCulture)).ToArray();
        return (times.Sum() - times[Idle] - times[IoWait], times.Sum());
    }
}
