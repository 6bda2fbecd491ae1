using System.Text;
using Millrace.ObjectStore;
using Millrace.Primitives;

namespace Millrace.Contract.Tests.ObjectStore;

/// <summary>What every object store does. An adapter derives from it and says how it is opened.</summary>
public abstract class ObjectStoreContract
{
    /// <summary>The adapter under test, empty.</summary>
    protected IObjectStore Store { get; private set; } = null!;

    protected abstract ValueTask<IObjectStore> OpenEmptyAsync();

    [SetUp]
    public async Task Open() => Store = await OpenEmptyAsync();

    [Test]
    public async Task What_is_put_is_read_back_whole()
    {
        var content = new byte[300_000];
        new Random(1).NextBytes(content);

        await Store.PutAsync("a/b/c.parquet", content);

        Assert.That(await Store.GetAsync("a/b/c.parquet"), Is.EqualTo(content));
    }

    [Test]
    public async Task An_empty_object_is_an_object()
    {
        await Store.PutAsync("empty", ReadOnlyMemory<byte>.Empty);

        Assert.That(await Store.GetAsync("empty"), Is.Empty);
        Assert.That((await Store.FindAsync("empty"))!.Bytes, Is.Zero);
    }

    [Test]
    public async Task A_stream_is_put_whole()
    {
        var content = new byte[1_000_000];
        new Random(2).NextBytes(content);

        await Store.PutAsync("streamed", new MemoryStream(content));

        Assert.That(await Store.GetAsync("streamed"), Is.EqualTo(content));
    }

    [Test]
    public async Task A_put_replaces_what_was_there()
    {
        await Store.PutAsync("k", Utf8("a longer content"));
        await Store.PutAsync("k", Utf8("short"));

        Assert.That(await Store.GetAsync("k"), Is.EqualTo(Utf8("short")));
    }

    [Test]
    public async Task What_is_replaced_while_it_is_read_is_read_as_it_was_or_is()
    {
        byte[] one = [.. Enumerable.Repeat((byte)1, 3_000)], two = [.. Enumerable.Repeat((byte)2, 70_000)];
        await Store.PutAsync("k", one);
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 300; i++) await Store.PutAsync("k", i % 2 == 0 ? two : one);
        });
        while (!writing.IsCompleted)
        {
            var read = (await Store.GetAsync("k"))!;
            Assert.That(read.AsSpan().SequenceEqual(one) || read.AsSpan().SequenceEqual(two), $"{read.Length} bytes");
        }

        await writing;
    }

    [Test]
    public async Task A_failing_stream_leaves_what_was_there()
    {
        await Store.PutAsync("k", Utf8("before"));

        Assert.That(async () => await Store.PutAsync("k", new BrokenStream()), Throws.InstanceOf<MillraceException>());

        Assert.That(await Store.GetAsync("k"), Is.EqualTo(Utf8("before")));
        Assert.That(await KeysAsync(""), Is.EqualTo(new[] { "k" }));
    }

    [Test]
    public async Task What_is_not_there_is_null()
    {
        await Store.PutAsync("folder/object", Utf8("x"));

        Assert.That(await Store.GetAsync("missing"), Is.Null);
        Assert.That(await Store.GetAsync("folder"), Is.Null);
        Assert.That(await Store.GetAsync("folder/object/below"), Is.Null);
        Assert.That(await Store.GetRangeAsync("missing", 0, 10), Is.Null);
        Assert.That(await Store.FindAsync("missing"), Is.Null);
    }

    [TestCase(0, 4, "0123")]
    [TestCase(7, 10, "789")]
    [TestCase(10, 5, "")]
    [TestCase(99, 5, "")]
    public async Task A_range_ends_with_the_object(long offset, int count, string expected)
    {
        await Store.PutAsync("digits", Utf8("0123456789"));

        Assert.That(await Store.GetRangeAsync("digits", offset, count), Is.EqualTo(Utf8(expected)));
    }

    [Test]
    public async Task Put_if_absent_takes_a_free_key_once()
    {
        Assert.That(await Store.PutIfAbsentAsync("n/1", Utf8("first")), Is.True);
        Assert.That(await Store.PutIfAbsentAsync("n/1", Utf8("second")), Is.False);

        Assert.That(await Store.GetAsync("n/1"), Is.EqualTo(Utf8("first")));
    }

    [Test]
    public async Task Of_many_that_race_for_a_key_one_wins_and_all_see_its_content()
    {
        for (var round = 0; round < 20; round++)
        {
            var key = $"race/{round}";
            var contents = Enumerable.Range(0, 8).Select(i => Utf8(new string((char)('a' + i), 5_000))).ToArray();

            var won = await Task.WhenAll(contents.Select(content => Task.Run(async () =>
            {
                var mine = await Store.PutIfAbsentAsync(key, content);
                var seen = await Store.GetAsync(key);
                Assert.That(contents.Count(c => c.AsSpan().SequenceEqual(seen)), Is.EqualTo(1));
                return mine;
            })));

            Assert.That(won.Count(mine => mine), Is.EqualTo(1));
            Assert.That(await Store.GetAsync(key), Is.EqualTo(contents[Array.IndexOf(won, true)]));
        }
    }

    [Test]
    public async Task A_list_is_in_the_order_of_keys()
    {
        string[] keys =
            ["a-b", "a.b", "a/b", "a/b-", "a=b/1", "ab", "b/date=2026-01-01/hour=1/x", "b/date=2026-01-01/y"];
        foreach (var key in keys.Reverse()) await Store.PutAsync(key, Utf8(key));

        Assert.That(await KeysAsync(""), Is.EqualTo(keys.Order(StringComparer.Ordinal)));
    }

    [Test]
    public async Task A_list_keeps_to_prefix_and_start()
    {
        string[] keys = ["log/01", "log/02", "log/10", "logs", "other"];
        foreach (var key in keys) await Store.PutAsync(key, Utf8(key));

        Assert.That(await KeysAsync("log/"), Is.EqualTo(new[] { "log/01", "log/02", "log/10" }));
        Assert.That(await KeysAsync("log/0"), Is.EqualTo(new[] { "log/01", "log/02" }));
        Assert.That(await KeysAsync("lo"), Is.EqualTo(new[] { "log/01", "log/02", "log/10", "logs" }));
        Assert.That(await KeysAsync("log/", "log/01"), Is.EqualTo(new[] { "log/02", "log/10" }));
        Assert.That(await KeysAsync("", "log/10"), Is.EqualTo(new[] { "logs", "other" }));
        Assert.That(await KeysAsync("none/"), Is.Empty);
    }

    [Test]
    public async Task A_listed_object_has_its_size()
    {
        await Store.PutAsync("sized", new byte[1234]);

        await foreach (var info in Store.ListAsync("")) Assert.That(info.Bytes, Is.EqualTo(1234));
        Assert.That((await Store.FindAsync("sized"))!.Bytes, Is.EqualTo(1234));
    }

    [Test]
    public async Task A_deleted_object_is_gone_and_may_be_deleted_again()
    {
        await Store.PutAsync("d/1", Utf8("x"));

        await Store.DeleteAsync("d/1");
        await Store.DeleteAsync("d/1");
        await Store.DeleteAsync("never/was");

        Assert.That(await Store.GetAsync("d/1"), Is.Null);
        Assert.That(await Store.PutIfAbsentAsync("d/1", Utf8("y")), Is.True);
    }

    [TestCase("")]
    [TestCase("/absolute")]
    [TestCase("a//b")]
    [TestCase("a/")]
    [TestCase("../up")]
    [TestCase("a/../b")]
    [TestCase(".hidden")]
    [TestCase("with space")]
    [TestCase("umlaut-ü")]
    [TestCase("back\\slash")]
    [TestCase("zero\0")]
    public void A_key_that_is_none_is_refused_with_its_code(string key)
    {
        Assert.That(async () => await Store.PutAsync(key, Utf8("x")), RefusedAs("OB-0001"));
        Assert.That(async () => await Store.PutIfAbsentAsync(key, Utf8("x")), RefusedAs("OB-0001"));
        Assert.That(async () => await Store.GetAsync(key), RefusedAs("OB-0001"));
        Assert.That(async () => await Store.DeleteAsync(key), RefusedAs("OB-0001"));
    }

    [Test]
    public async Task Random_writes_agree_with_a_dictionary()
    {
        var random = new Random(4711);
        var model = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        for (var step = 0; step < 300; step++)
        {
            var key = $"{(char)('a' + random.Next(3))}/{random.Next(4)}-{random.Next(4)}";
            var content = Utf8($"{step}");
            switch (random.Next(3))
            {
                case 0:
                    await Store.PutAsync(key, content);
                    model[key] = content;
                    break;
                case 1:
                    Assert.That(await Store.PutIfAbsentAsync(key, content), Is.EqualTo(model.TryAdd(key, content)));
                    break;
                default:
                    await Store.DeleteAsync(key);
                    model.Remove(key);
                    break;
            }
        }

        Assert.That(await KeysAsync(""), Is.EqualTo(model.Keys));
        foreach (var (key, content) in model) Assert.That(await Store.GetAsync(key), Is.EqualTo(content));
    }

    protected async Task<List<string>> KeysAsync(string prefix, string? after = null)
    {
        var keys = new List<string>();
        await foreach (var info in Store.ListAsync(prefix, after)) keys.Add(info.Key);
        return keys;
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static NUnit.Framework.Constraints.Constraint RefusedAs(string code) =>
        Throws.InstanceOf<MillraceException>().With.Property("Error").Property("Code").EqualTo(code);

    private sealed class BrokenStream : MemoryStream
    {
        private bool _isBegun;

        public override void CopyTo(Stream destination, int bufferSize)
        {
            destination.Write("half of it"u8);
            throw new IOException("the other end went away");
        }

        public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            CopyTo(destination, bufferSize);
            return Task.CompletedTask;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_isBegun) throw new IOException("the other end went away");
            _isBegun = true;
            buffer.Span[0] = (byte)'h';
            return ValueTask.FromResult(1);
        }
    }
}
