using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Api.Status;
using Millrace.Client;
using Millrace.Primitives;
using Spectre.Console;

namespace Millrace.Dev;

/// <summary>The hub in one line: in place on a terminal, once a minute in a file.</summary>
internal static class StatusLine
{
    private static readonly TimeSpan OnTerminal = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan InFile = TimeSpan.FromMinutes(1);

    public static async Task RunAsync(WebApplication app, CancellationToken stop)
    {
        var reader = app.Services.GetRequiredService<HubStatusReader>();
        var time = app.Services.GetRequiredService<TimeProvider>();
        var interval = Verb.Interactive ? OnTerminal : InFile;
        using var timer = new PeriodicTimer(interval, time);
        (long Records, long At)? last = null;
        try
        {
            do
            {
                HubStatus status;
                try
                {
                    status = await reader.ReadAsync(stop);
                }
                catch (MillraceException)
                {
                    continue;
                }

                var now = time.GetTimestamp();
                if (last is var (records, at))
                {
                    var seconds = time.GetElapsedTime(at, now).TotalSeconds;
                    Print(Line(status, (status.TelemetryRecords - records) / seconds));
                }

                last = (status.TelemetryRecords, now);
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException)
        {
            if (Verb.Interactive) Console.WriteLine();
        }
    }

    /// <summary>Short enough for 80 columns while numbers are small: what is well is not told.</summary>
    private static string Line(HubStatus s, double rate) => string.Create(CultureInfo.InvariantCulture,
        $"devices {s.DevicesConnected}/{s.Devices}  {rate:0.0} messages/s  alerts {s.Alerts}  lag {s.WarmLag}  " +
        $"archived {s.ArchivedRows}{(s.DeadLetters > 0 ? $"  dead letters {s.DeadLetters}" : "")}");

    private static void Print(string line)
    {
        if (!Verb.Interactive)
        {
            Console.WriteLine(line);
            return;
        }

        var width = Math.Max(AnsiConsole.Profile.Width - 1, 20);
        Console.Write("\r" + (line.Length > width ? line[..width] : line.PadRight(width)));
    }
}
