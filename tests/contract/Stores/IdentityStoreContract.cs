using CsCheck;
using Millrace.Stores.Identities;

namespace Millrace.Contract.Tests.Stores;

public abstract class IdentityStoreContract : StoreContract<IIdentityStore>
{
    [Test]
    public async Task An_identity_comes_back_whole_after_a_restart()
    {
        var made = Identity("pump") with
        {
            Status = DeviceStatus.Disabled,
            StatusReason = "lost",
            Authentication = DeviceAuthentication.Thumbprints,
            TagsJson = """{"site":"blå"}""",
            PrimaryThumbprint = "AB",
            SecondaryThumbprint = "CD",
            UpdatedAt = Noon.AddMilliseconds(7),
        };
        var bare = Identity("bare") with { PrimaryKey = "", SecondaryKey = "" };
        Assert.That(await Store.CreateAsync(made), Is.True);
        Assert.That(await Store.CreateAsync(bare), Is.True);
        Reopen();

        Assert.That(await Store.FindAsync("pump"), Is.EqualTo(made));
        Assert.That(await Store.FindAsync("bare"), Is.EqualTo(bare));
        Assert.That(await Store.FindAsync("PUMP"), Is.Null);
    }

    [Test]
    public async Task What_is_there_is_not_made_again()
    {
        await Store.CreateAsync(Identity("pump"));
        Assert.That(await Store.CreateAsync(Identity("pump") with { PrimaryKey = "other" }), Is.False);
        var existing = await Store.CreateManyAsync(
            [Identity("a"), Identity("pump") with { PrimaryKey = "x" }, Identity("b")]);

        Assert.That(existing, Is.EqualTo(new[] { "pump" }));
        Assert.That(await Store.FindAsync("pump"), Is.EqualTo(Identity("pump")));
        Assert.That(await Store.CountAsync(), Is.EqualTo(3));
    }

    [Test]
    public async Task An_update_needs_the_version_that_is_stored()
    {
        var made = Identity("pump");
        await Store.CreateAsync(made);
        var changed = made with { Status = DeviceStatus.Disabled, PrimaryKey = "new" };
        Assert.That(await Store.UpdateAsync(changed, 1), Is.True);
        Assert.That(await Store.UpdateAsync(made, 1), Is.False);
        Assert.That(await Store.UpdateAsync(Identity("none"), 1), Is.False);

        var found = (await Store.FindAsync("pump"))!;
        Assert.That((found.Version, found.Status, found.PrimaryKey), Is.EqualTo((2L, DeviceStatus.Disabled, "new")));
        Assert.That(await Store.DeleteAsync("pump"), Is.True);
        Assert.That(await Store.DeleteAsync("pump"), Is.False);
        Assert.That(await Store.UpdateAsync(made, 2), Is.False);
    }

    [Test]
    public async Task Of_updates_that_race_on_a_version_one_wins()
    {
        await Store.CreateAsync(Identity("pump"));
        for (var version = 1; version <= 5; version++)
        {
            var expected = version;
            var won = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(async () =>
                await Store.UpdateAsync(Identity("pump") with { StatusReason = $"{expected}.{i}" }, expected))));
            Assert.That(won.Count(w => w), Is.EqualTo(1));
            var winner = Array.IndexOf(won, true);
            Assert.That((await Store.FindAsync("pump"))!.StatusReason, Is.EqualTo($"{expected}.{winner}"));
        }
    }

    [Test]
    public async Task Of_creations_that_race_one_wins()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            i => Task.Run(async () => await Store.CreateAsync(Identity("pump") with { PrimaryKey = $"{i}" }))));
        Assert.That(made.Count(m => m), Is.EqualTo(1));
        Assert.That((await Store.FindAsync("pump"))!.PrimaryKey, Is.EqualTo($"{Array.IndexOf(made, true)}"));
    }

    [Test]
    public async Task The_list_is_in_order_of_ids_by_prefix_whatever_they_are_made_of()
    {
        var id = Gen.Char["aAbB0%_*?'-."].Array[1, 5].Select(c => new string(c));
        var ids = new SortedSet<string>(StringComparer.Ordinal);
        await Gen.Select(id.List[0, 20], id.Array[0, 1], Gen.Int[1, 10]).SampleAsync(async (more, prefixes, limit) =>
        {
            await Store.CreateManyAsync([.. more.Distinct().Select(Identity)]);
            ids.UnionWith(more);
            var prefix = prefixes.Length == 0 ? null : prefixes[0][..1];
            var got = await AllAsync(limit, token => Store.ListAsync(prefix, limit, token));
            var expected = ids.Where(i => i.StartsWith(prefix ?? "", StringComparison.Ordinal));
            return got.Select(i => i.DeviceId).SequenceEqual(expected) && await Store.CountAsync() == ids.Count;
        }, iter: 40, threads: 1);
    }

    [Test]
    public void A_token_of_another_list_is_refused() => Assert.That(
        CodeOf(async () => await Store.ListAsync(null, 10, "YWxlcnRzHzEfcjE")), Is.EqualTo("ST-0002"));

    private static DeviceIdentity Identity(string id) => new()
    {
        DeviceId = id,
        GenerationId = "g",
        PrimaryKey = "cHJpbWFyeQ==",
        SecondaryKey = "c2Vjb25k",
        CreatedAt = Noon,
        UpdatedAt = Noon,
    };
}
