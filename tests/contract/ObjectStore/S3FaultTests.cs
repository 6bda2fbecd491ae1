using Microsoft.Extensions.DependencyInjection;
using Millrace.ObjectStore;
using Millrace.Primitives;
using Millrace.TestKit;
using Millrace.TestKit.Network;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests.ObjectStore;

/// <summary>What becomes of writes and reads when the way to a real store breaks, or the store hangs.</summary>
public sealed class S3FaultTests
{
    private const int PartBytes = 5 << 20;

    private AnswerCutter _way = null!;
    private ServiceProvider _services = null!;
    private IObjectStore _store = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        var servers = await S3Node.ServersAsync();
        _way = new AnswerCutter(new Uri(servers.Endpoint).Port);
        _services = await S3Node.OpenAsync(
            ("Endpoint", $"http://127.0.0.1:{_way.Port}"), ("PartSize", "5MiB"), ("RequestTimeout", "3s"));
        _store = _services.GetRequiredService<IObjectStore>();
    }

    [TearDown]
    public async Task CloseAsync()
    {
        if (_services is not null) await _services.DisposeAsync();
        if (_way is not null) await _way.DisposeAsync();
    }

    [Test]
    public async Task A_put_whose_answer_was_lost_is_known_to_be_ours()
    {
        _way.LoseNext("PUT /");

        Assert.That(await _store.PutIfAbsentAsync("n", new byte[] { 1 }), Is.True);

        Assert.That(_way.Lost, Is.EqualTo(1), "an answer was lost");
        Assert.That(await _store.GetAsync("n"), Is.EqualTo(new byte[] { 1 }));
        Assert.That(await _store.PutIfAbsentAsync("n", new byte[] { 2 }), Is.False);
    }

    [Test]
    public async Task An_upload_whose_last_answer_was_lost_is_known_to_be_done([Values] bool ifAbsent)
    {
        var content = new byte[PartBytes + 9];
        new Random(5).NextBytes(content);
        _way.LoseNext("?uploadId=", "POST");

        if (ifAbsent) Assert.That(await _store.PutIfAbsentAsync("large", content), Is.True);
        else await _store.PutAsync("large", content);

        Assert.That(_way.Lost, Is.EqualTo(1), "an answer was lost");
        Assert.That((await _store.GetAsync("large")).AsSpan().SequenceEqual(content));
    }

    [Test]
    public async Task Answers_that_are_lost_at_random_neither_lose_nor_replace_an_object([Values(1, 2, 3)] int seed)
    {
        var random = new Random(seed);
        var model = new Dictionary<string, byte>();
        for (var step = 0; step < 40; step++)
        {
            if (random.Next(3) == 0) _way.LoseNext("PUT /");
            var key = $"k/{random.Next(12)}";
            var isNew = await _store.PutIfAbsentAsync(key, new[] { (byte)step });
            Assert.That(isNew, Is.EqualTo(model.TryAdd(key, (byte)step)), $"step {step}");
        }

        Assert.That(_way.Lost, Is.GreaterThan(0));
        foreach (var (key, value) in model) Assert.That(await _store.GetAsync(key), Is.EqualTo(new[] { value }));
    }

    [Test]
    public async Task An_answer_that_stops_in_its_middle_is_asked_for_again()
    {
        var content = new byte[1 << 20];
        new Random(7).NextBytes(content);
        await _store.PutAsync("some", content);

        _way.SwallowNext(100_000, "GET /", "/some");
        Assert.That((await _store.GetAsync("some")).AsSpan().SequenceEqual(content));
        _way.SwallowNext(400, "GET /", "list-type=2");
        var listed = await _store.ListAsync("so").ToListAsync();
        Assert.That(listed.Select(found => found.Key), Is.EqualTo(new[] { "some" }));

        Assert.That(_way.Lost, Is.EqualTo(2), "both stopped");
    }

    [Test]
    public async Task A_store_behind_tls_that_hangs_fails_requests_in_time_too()
    {
        using var authority = new TestAuthority();
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.Sub("ca.pem"), authority.Pem);
        await using var hanging = await LoopbackHttp.StartAsync(
            context => Task.Delay(Timeout.Infinite, context.RequestAborted), authority);
        await using var services = await S3Node.MakeAsync(("Endpoint", hanging.Address),
            ("CaFile", folder.Sub("ca.pem")), ("RequestTimeout", "500ms"), ("RetriesMax", "0"));
        var reading = services.GetRequiredService<IObjectStore>().GetAsync("k").AsTask();

        await Task.WhenAny(reading, Task.Delay(TimeSpan.FromSeconds(20), TimeProvider.System));

        Assert.That(reading.IsCompleted, "in time");
        Assert.That(async () => await reading,
            Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0006"));
    }

    [Test]
    public async Task A_store_that_hangs_fails_requests_in_time_and_serves_those_after()
    {
        var servers = await S3Node.ServersAsync();
        if (!servers.IsOurs) Assert.Ignore("The store is not ours to stop.");
        await _store.PutAsync("before", new byte[] { 1 });
        await using var impatient = await S3Node.OpenAsync(("RequestTimeout", "500ms"), ("RetriesMax", "0"));
        var store = impatient.GetRequiredService<IObjectStore>();

        await servers.PauseAsync();
        try
        {
            Assert.That(async () => await store.GetAsync("before"),
                Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0006"));
            Assert.That(async () => await store.PutAsync("during", new byte[] { 1 }),
                Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0002"));
        }
        finally
        {
            await servers.ResumeAsync();
        }

        await store.PutAsync("after", new byte[] { 2 });
        Assert.That(await store.GetAsync("after"), Is.EqualTo(new byte[] { 2 }));
    }

    [Test]
    public async Task An_upload_that_breaks_off_leaves_nothing()
    {
        await _store.PutAsync("k", new byte[] { 7 });
        var breaking = new BreakingStream(PartBytes + 100);

        Assert.That(async () => await _store.PutAsync("k", breaking),
            Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0002"));

        Assert.That(await _store.GetAsync("k"), Is.EqualTo(new byte[] { 7 }));
        var bucket = _services.GetRequiredService<Millrace.ObjectStore.S3.S3Bucket>();
        var uploads = await bucket.Client.ListMultipartUploadsAsync(bucket.Name);
        Assert.That(uploads.MultipartUploads ?? [], Is.Empty);
    }

    /// <summary>Gives so many bytes and then fails.</summary>
    private sealed class BreakingStream(int bytes) : MemoryStream
    {
        private int _left = bytes;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0) throw new IOException("the other end went away");
            var count = Math.Min(_left, buffer.Length);
            _left -= count;
            return ValueTask.FromResult(count);
        }
    }
}
