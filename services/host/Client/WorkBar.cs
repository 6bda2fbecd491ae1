using Spectre.Console;

namespace Millrace.Client;

/// <summary>How far a long work is.</summary>
/// <param name="Share">0 to 1; null when nobody knows how long it takes.</param>
internal readonly record struct WorkDone(double? Share, string Text);

/// <summary>
/// Shows how far a long work is, on standard error: as a bar on a terminal, else as a line now and then.
/// </summary>
internal static class WorkBar
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    public static async Task<T> RunAsync<T>(string what, TimeProvider time, Func<IProgress<WorkDone>, Task<T>> work)
    {
        if (Console.IsErrorRedirected) return await work(new Lines(time));
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(context => work(new Bar(context.AddTask(Markup.Escape(what), maxValue: 1))));
    }

    private sealed class Bar(ProgressTask task) : IProgress<WorkDone>
    {
        public void Report(WorkDone value)
        {
            task.Description = Markup.Escape(value.Text);
            task.IsIndeterminate = value.Share is null;
            task.Value = value.Share ?? 0;
        }
    }

    private sealed class Lines(TimeProvider time) : IProgress<WorkDone>
    {
        private long _at = time.GetTimestamp();

        public void Report(WorkDone value)
        {
            if (time.GetElapsedTime(_at) < LineInterval) return;
            _at = time.GetTimestamp();
            Console.Error.WriteLine(value.Text);
        }
    }
}
