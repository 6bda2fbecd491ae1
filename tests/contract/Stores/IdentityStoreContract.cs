using CsCheck;
using Millrace.Stores;
using Millrace.Stores.Identities;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Stores;

[Category("Samples")]
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
        Assert.That(await Store.DeleteAsync("pump", made.Revision, Noon), Is.False);
        Assert.That(await Store.DeleteAsync("pump", found.Revision, Noon), Is.True);
        Assert.That(await Store.DeleteAsync("pump", found.Revision, Noon), Is.False);
        Assert.That(await Store.UpdateAsync(made, 2), Is.False);
    }

    [Test]
    public async Task A_device_that_was_made_anew_is_not_the_one_before()
    {
        var before = Identity("pump") with { PrimaryKey = "leaked" };
        await Store.CreateAsync(before);
        Assert.That(await Store.DeleteAsync("pump", before.Revision, Noon), Is.True);
        var made = Identity("pump") with { GenerationId = "h" };
        await Store.CreateAsync(made);

        Assert.That(await Store.UpdateAsync(before, 1), Is.False);
        Assert.That(await Store.DeleteAsync("pump", before.Revision, Noon), Is.False);
        Assert.That(await Store.FindAsync("pump"), Is.EqualTo(made));
        Assert.That(await Store.FindRevisionAsync("pump"), Is.EqualTo(made.Revision));
        Assert.That(await Store.FindRevisionAsync("none"), Is.Null);
    }

    [Test]
    public async Task A_device_that_is_deleted_is_on_the_list_until_that_is_told()
    {
        var (pump, valve) = (Identity("pump"), Identity("valve"));
        await Store.CreateManyAsync([pump, valve]);
        Assert.That(await Store.ListUntoldEndsAsync(), Is.Empty);
        await Store.DeleteAsync("pump", pump.Revision, Noon);
        await Store.CreateAsync(pump with { GenerationId = "h" });
        await Store.DeleteAsync("pump", new DeviceRevision("h", 1), Noon.AddSeconds(1));
        await Store.DeleteAsync("valve", valve.Revision, Noon);

        var first = new DeviceEnd("pump", "g", Noon.ToUnixTimeMilliseconds());
        var second = new DeviceEnd("pump", "h", first.AtMs + 1_000);
        var other = first with { DeviceId = "valve" };
        Assert.That(await Store.ListUntoldEndsAsync(), Is.EquivalentTo(new[] { first, second, other }));
        await Store.EndToldAsync(first);
        await Store.EndToldAsync(first);
        Assert.That(await Store.ListUntoldEndsAsync(), Is.EquivalentTo(new[] { second, other }));
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
            var filter = new DeviceFilter { IdPrefix = prefix };
            var got = await AllAsync(limit, token => Store.ListAsync(filter, limit, token));
            var expected = ids.Where(i => i.StartsWith(prefix ?? "", StringComparison.Ordinal));
            Assert.That(got.Select(i => i.DeviceId), Is.EqualTo(expected));
            Assert.That(await Store.CountAsync(), Is.EqualTo(ids.Count));
        }, iter: Samples.Of(20), threads: 1);
    }

    [Test]
    public async Task A_search_finds_what_a_look_at_every_device_would_however_few_a_page_looks_at()
    {
        var device = Gen.Select(Gen.Char["abAB"].Array[1, 4], Gen.Bool, Gen.Int[0, 2], Gen.Int[0, 1]).Select(
            (id, enabled, site, hot) => Identity(new string(id)) with
            {
                Status = enabled ? DeviceStatus.Enabled : DeviceStatus.Disabled,
                TagsJson = $$"""{"at":{"site":"s{{site}}"},"hot":{{hot}}}""",
            });
        var filter = Gen.Select(Gen.OneOfConst("", "a", "B"), Gen.OneOfConst<string?>(null, "ab"),
            Gen.OneOfConst<DeviceStatus?>(null, DeviceStatus.Enabled), Gen.OneOfConst<int?>(null, 0, 2),
            Gen.OneOfConst<int?>(null, 1), Gen.Int[1, 12]);
        var devices = new SortedDictionary<string, DeviceIdentity>(StringComparer.Ordinal);
        await Gen.Select(device.List[0, 30], filter, Gen.Int[1, 8]).SampleAsync(async (more, asked, limit) =>
        {
            var news = more.DistinctBy(one => one.DeviceId).ToList();
            await Store.CreateManyAsync(news);
            foreach (var one in news) devices.TryAdd(one.DeviceId, one);
            var (prefix, part, status, site, hot, lookedAt) = asked;
            List<TagFilter> tags = [];
            if (site is not null) tags.Add(new TagFilter("at.site", $"s{site}"));
            if (hot is not null) tags.Add(new TagFilter("hot", $"{hot}"));
            var search = new DeviceFilter
            {
                IdPrefix = prefix,
                IdPart = part,
                Status = status,
                Tags = tags,
                LookedAtMax = lookedAt,
            };
            var (got, token) = (new List<DeviceIdentity>(), (string?)null);
            do
            {
                var page = await Store.ListAsync(search, limit, token);
                Assert.That(page.Items, Has.Count.LessThanOrEqualTo(Math.Min(limit, lookedAt)));
                got.AddRange(page.Items);
                token = page.Continuation;
            }
            while (token is not null);

            return got.SequenceEqual(devices.Values.Where(one =>
                one.DeviceId.StartsWith(prefix, StringComparison.Ordinal) &&
                (part is null || one.DeviceId.Contains(part, StringComparison.OrdinalIgnoreCase)) &&
                (status is null || one.Status == status) &&
                (site is null || one.TagsJson.Contains($"\"s{site}\"", StringComparison.Ordinal)) &&
                (hot is null || one.TagsJson.Contains($"\"hot\":{hot}", StringComparison.Ordinal))));
        }, iter: Samples.Of(30), threads: 1);
    }

    [Test]
    public void A_token_of_another_list_is_refused() => Assert.That(
        CodeOf(async () => await Store.ListAsync(DeviceFilter.All, 10, "YWxlcnRzHzEfcjE")), Is.EqualTo("ST-0002"));

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
