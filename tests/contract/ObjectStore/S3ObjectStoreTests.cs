using Microsoft.Extensions.DependencyInjection;
using Millrace.ObjectStore;

namespace Millrace.Contract.Tests.ObjectStore;

/// <summary>The port's behaviour on a real S3 store, below a prefix.</summary>
[TestFixture]
public sealed class S3ObjectStoreTests : ObjectStoreContract
{
    private const int PartBytes = 5 << 20;
    private ServiceProvider? _services;

    protected override async ValueTask<IObjectStore> OpenEmptyAsync()
    {
        _services = await S3Node.OpenAsync(("Prefix", "hub/one"), ("PartSize", "5MiB"));
        return _services.GetRequiredService<IObjectStore>();
    }

    [TearDown]
    public async Task CloseAsync()
    {
        if (_services is not null) await _services.DisposeAsync();
    }

    [Test]
    public async Task Parts_become_one_object([Values(PartBytes, PartBytes + 1, (3 * PartBytes) + 17)] int bytes)
    {
        var content = new byte[bytes];
        new Random(bytes).NextBytes(content);

        await Store.PutAsync("memory", content);
        await Store.PutAsync("stream", new MemoryStream(content));

        Assert.That((await Store.GetAsync("memory")).AsSpan().SequenceEqual(content));
        Assert.That((await Store.GetAsync("stream")).AsSpan().SequenceEqual(content));
        var range = await Store.GetRangeAsync("stream", PartBytes - 3, 10);
        Assert.That(range, Is.EqualTo(content.Skip(PartBytes - 3).Take(10)));
    }

    [Test]
    public async Task Parts_that_race_for_a_key_make_one_object()
    {
        var contents = Enumerable.Range(0, 4).Select(i => Filled(PartBytes + 100, (byte)i)).ToArray();

        var won = await Task.WhenAll(contents.Select(c => Task.Run(async () =>
            await Store.PutIfAbsentAsync("large", c))));

        Assert.That(won.Count(mine => mine), Is.EqualTo(1));
        Assert.That((await Store.GetAsync("large")).AsSpan().SequenceEqual(contents[Array.IndexOf(won, true)]));
        Assert.That(await Store.PutIfAbsentAsync("large", contents[0]), Is.False);
    }

    [Test]
    public async Task A_list_has_as_many_pages_as_it_needs()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var i = worker; i < 1_200; i += 8) await Store.PutAsync($"many/{i:D5}", new byte[] { 1 });
        })));

        Assert.That(await KeysAsync("many/"), Is.EqualTo(Enumerable.Range(0, 1_200).Select(i => $"many/{i:D5}")));
        Assert.That(await KeysAsync("many/", "many/01197"), Is.EqualTo(new[] { "many/01198", "many/01199" }));
    }

    private static byte[] Filled(int bytes, byte value)
    {
        var content = new byte[bytes];
        Array.Fill(content, value);
        return content;
    }
}
