using System.Diagnostics;
using System.Globalization;
using Millrace.Hostile;

// The attackers as a process of their own. It attacks for as many seconds as each line of its input says, then prints
// how often each attack has struck, and an empty line.
if (args.Length != 7)
{
    Console.Error.WriteLine("usage: Millrace.Hostile PORT TLS-PORT KEY DEVICES SCALE SEED CORES");
    return 2;
}

var share = new CpuShare(Number(args[6]));
var target = new AttackTarget(
    (int)Number(args[0]), (int)Number(args[1]), args[2], (int)Number(args[3]), share, (int)Number(args[4]));
var seed = (int)Number(args[5]);
for (; Console.ReadLine() is { } seconds; seed += HostileSet.All.Count)
{
    var (usedBefore, began) = (CpuShare.Used, Stopwatch.GetTimestamp());
    using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(Number(seconds)), TimeProvider.System);
    var strikes = await HostileSet.RunAsync(target, seed, stop.Token);
    foreach (var (name, count) in strikes.OrderBy(each => each.Key)) Console.WriteLine($"{name,-28} {count,8}");
    var cores = (CpuShare.Used - usedBefore) / Stopwatch.GetElapsedTime(began);
    Console.WriteLine($"{CpuShare.UsedName,-28} {cores.ToString("0.00", CultureInfo.InvariantCulture),8}");
    Console.WriteLine();
}

return 0;

static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
