using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting.Health;
using Millrace.Primitives;

namespace Millrace.ObjectStore.Tests;

/// <summary>An upload in parts becomes an object or nothing, and leaves no parts for which the store is paid.</summary>
public sealed class S3UploadTests
{
    private static readonly byte[] Large = new byte[(5 << 20) + 9];

    private LoopbackS3 _s3 = null!;
    private ServiceProvider _process = null!;

    private IObjectStore Store => _process.GetRequiredService<IObjectStore>();

    [SetUp]
    public async Task StartAsync()
    {
        _s3 = await LoopbackS3.StartAsync();
        _process = _s3.Process();
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _process.DisposeAsync();
        await _s3.DisposeAsync();
    }

    [TestCase("UploadPart")]
    [TestCase("CompleteMultipartUpload")]
    public void One_that_fails_is_aborted(string request)
    {
        _s3.Refuses = one => one.Name == request ? new(500, "InternalError") : null;

        Assert.That(async () => await Store.PutAsync("large", Large), Failed);
        Assert.That(async () => await Store.PutAsync("large", new MemoryStream(Large)), Failed);

        Assert.That(_s3.Unfinished, Is.Empty);
        Assert.That(_s3.Objects, Is.Empty);
    }

    [Test]
    public async Task One_for_a_key_that_another_took_meanwhile_is_aborted()
    {
        _s3.Refuses = one => one.Name == "UploadPart" ? Take(one.Key) : null;

        Assert.That(await Store.PutIfAbsentAsync("large", Large), Is.False);

        Assert.That(_s3.Unfinished, Is.Empty);

        S3Refusal? Take(string key)
        {
            _s3.Put(key);
            return null;
        }
    }

    [Test]
    public async Task One_that_cannot_be_aborted_either_is_removed_at_a_start_a_day_later()
    {
        _s3.Refuses = one => one.Name is "UploadPart" or "AbortMultipartUpload" ? new(500, "InternalError") : null;
        Assert.That(async () => await Store.PutAsync("large", Large), Failed);
        Assert.That(_s3.Unfinished, Is.EqualTo(new[] { "hub-1/large" }));

        _s3.Refuses = _ => null;
        await OpenAsync();
        Assert.That(_s3.Unfinished, Is.EqualTo(new[] { "hub-1/large" }), "it may be another process's");
        _s3.Time.Move(TimeSpan.FromHours(25));
        await OpenAsync();
        Assert.That(_s3.Unfinished, Is.Empty);
    }

    private static NUnit.Framework.Constraints.Constraint Failed =>
        Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0002").And.Message.Contains("InternalError");

    private async Task OpenAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await _process.GetRequiredService<IAwaitedServer>().AnswersAsync(limit.Token);
    }
}
