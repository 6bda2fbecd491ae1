using Millrace.Archiver.Api;

namespace Millrace.Archiver.Tests;

/// <summary>Work that outlasts the requests that ask for it.</summary>
public sealed class LongAnswerTests
{
    private readonly TaskCompletionSource<object> _work = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LongAnswers _answers = new();
    private int _begun;

    [OneTimeTearDown]
    public void Close() => _answers.Dispose();

    [Test]
    public async Task An_operation_is_begun_once_and_its_answer_fetched_by_who_asks_again()
    {
        Assert.That(await AskAsync("one", 0), Is.Null);
        Assert.That(await AskAsync("one", 0), Is.Null);
        var waiting = AskAsync("one", 60);
        _work.SetResult("done");

        Assert.That(await waiting, Is.EqualTo("done"));
        Assert.That(_begun, Is.EqualTo(1));
        Assert.That(await AskAsync("two", 60), Is.EqualTo("done"));
        Assert.That(_begun, Is.EqualTo(2), "another name is another operation");
    }

    [Test]
    public async Task A_failure_is_told_and_the_end_of_the_process_ends_the_work()
    {
        using var answers = new LongAnswers();
        Assert.That(async () => await answers.AskAsync("bad", TimeSpan.FromMinutes(1), TimeProvider.System,
            _ => Task.FromException<object>(new InvalidOperationException("why")), default),
            Throws.InvalidOperationException.With.Message.EqualTo("why"));

        var (begun, ended) = (new TaskCompletionSource(), new TaskCompletionSource());
        await answers.AskAsync("long", TimeSpan.Zero, TimeProvider.System, async stop =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ended.SetResult();
            return "";
        }, default);
        await begun.Task;
        await answers.StopAsync(default);
        Assert.That(ended.Task.IsCompleted);
    }

    private Task<object?> AskAsync(string operation, int seconds) => _answers.AskAsync(
        operation, TimeSpan.FromSeconds(seconds), TimeProvider.System, async _ =>
        {
            Interlocked.Increment(ref _begun);
            return await _work.Task;
        }, default);
}
