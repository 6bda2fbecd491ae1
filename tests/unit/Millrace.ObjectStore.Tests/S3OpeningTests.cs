using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting.Health;
using Millrace.Primitives;

namespace Millrace.ObjectStore.Tests;

/// <summary>What a store has to prove before anything rests on it.</summary>
public sealed class S3OpeningTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private LoopbackS3 _s3 = null!;

    [SetUp]
    public async Task StartAsync() => _s3 = await LoopbackS3.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _s3.DisposeAsync();

    [Test]
    public async Task A_store_that_keeps_to_conditions_is_taken_and_nothing_stays_in_it()
    {
        await OpenAsync();

        Assert.That(_s3.Objects, Is.Empty);
        Assert.That(_s3.Unfinished, Is.Empty);
    }

    [TestCase("PutObject")]
    [TestCase("CompleteMultipartUpload")]
    public void A_store_that_replaces_what_it_was_told_not_to_is_refused(string request)
    {
        _s3.HasConditions = request != "PutObject";
        _s3.Refuses = one =>
        {
            if (one.Name == request) _s3.HasConditions = false;
            return null;
        };

        Assert.That(OpenAsync, Refused("OB-0004", $"{request} with If-None-Match: *"));
        Assert.That(_s3.Objects, Is.Empty);
    }

    [Test]
    public void A_store_that_does_not_know_conditions_is_refused_with_what_it_says(
        [Values("PutObject", "CompleteMultipartUpload")] string request,
        [Values("501 NotImplemented", "400 InvalidArgument")] string said)
    {
        var refusal = new S3Refusal(int.Parse(said[..3]), said[4..]);
        _s3.Refuses = one => one.Name == request && one.IsConditional ? refusal : null;

        Assert.That(OpenAsync, Refused("OB-0004", $"{request}: {refusal.Code}"));
        Assert.That(_s3.Objects, Is.Empty);
        Assert.That(_s3.Unfinished, Is.Empty);
    }

    [Test]
    public void A_store_without_something_else_that_is_needed_is_refused_and_not_waited_for()
    {
        _s3.Refuses = one => one.Name == "ListMultipartUploads" ? new(501, "NotImplemented") : null;

        Assert.That(OpenAsync, Refused("OB-0005", "NotImplemented"));
    }

    [TestCase(503, "SlowDown")]
    [TestCase(400, "RequestTimeout")]
    public async Task A_store_that_does_not_take_a_put_for_now_is_waited_for(int status, string code)
    {
        var puts = 0;
        _s3.Refuses = one => one.Name == "PutObject" && ++puts == 1 ? new(status, code) : null;

        await OpenAsync();

        Assert.That(puts, Is.EqualTo(3), "one was refused, one taken, and one found the key taken");
    }

    [Test]
    public async Task What_a_crash_left_of_uploads_is_removed_a_day_later_on_every_page_and_below_the_prefix_alone()
    {
        for (var i = 0; i < 3; i++) _s3.Begin($"hub-1/old-{i}", TimeSpan.FromHours(25));
        _s3.Begin("hub-1/young", TimeSpan.FromHours(23));
        _s3.Begin("hub-2/another-hub", TimeSpan.FromDays(9));

        await OpenAsync();

        Assert.That(_s3.Unfinished, Is.EqualTo(new[] { "hub-1/young", "hub-2/another-hub" }));
    }

    private static NUnit.Framework.Constraints.Constraint Refused(string code, string with) =>
        Throws.InstanceOf<MillraceException>().With.Message.StartsWith(code).And.Message.Contains(with);

    private async Task OpenAsync()
    {
        await using var process = _s3.Process();
        using var limit = new CancellationTokenSource(Limit);
        await process.GetRequiredService<IAwaitedServer>().AnswersAsync(limit.Token);
    }
}
