using Millrace.Contracts;
using Millrace.EventLog.Kafka.Groups;

namespace Millrace.EventLog.Kafka.Tests.Groups;

public class GroupCommitsTests
{
    private static readonly TopicPartition A = new("telemetry", 0), B = new("telemetry", 1);

    [Test]
    public async Task Commits_that_come_while_one_is_under_way_travel_together_and_the_newest_counts()
    {
        var sent = new List<string>();
        var first = new TaskCompletionSource();
        var commits = new GroupCommits(async offsets =>
        {
            sent.Add(string.Join(' ', offsets.Select(pair => $"{pair.Key.Partition}:{pair.Value.NextOffset}").Order()));
            if (sent.Count == 1) await first.Task;
        });

        var one = commits.AddAsync(A, new CommittedOffset(1, null));
        await TestKit.Eventually.TrueAsync(() => sent.Count == 1, "the first is under way");
        var others = new[]
        {
            commits.AddAsync(A, new CommittedOffset(2, null)), commits.AddAsync(B, new CommittedOffset(5, null)),
            commits.AddAsync(A, new CommittedOffset(3, null)),
        };
        first.SetResult();
        await one;
        await Task.WhenAll(others);

        Assert.That(sent, Is.EqualTo(new[] { "0:1", "0:3 1:5" }));
        Assert.That(commits.Last.Select(pair => pair.Value.NextOffset).Order(), Is.EqualTo(new[] { 3, 5 }));
    }

    [Test]
    public async Task One_that_failed_is_told_and_the_next_is_tried()
    {
        var fails = true;
        var commits = new GroupCommits(_ => fails ? throw new IOException("no") : Task.CompletedTask);
        Assert.That(async () => await commits.AddAsync(A, new CommittedOffset(1, null)), Throws.TypeOf<IOException>());
        fails = false;
        await commits.AddAsync(A, new CommittedOffset(2, null));
        Assert.That(commits.Last, Has.Count.EqualTo(1));
    }
}
