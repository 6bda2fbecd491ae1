using Millrace.Models.Registry;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.Models.Tests;

public sealed class ModelRegistryTests
{
    private ModelStore _store = null!;

    private ModelRegistry Registry => _store.Registry;

    [SetUp]
    public void Open() => _store = new ModelStore();

    [TearDown]
    public void Close() => _store.Dispose();

    [Test]
    public async Task Versions_count_up_and_are_read_as_they_were_registered()
    {
        var first = await AddAsync("wear", 1);
        var second = await AddAsync("wear", 2);

        Assert.That((first.Version, second.Version), Is.EqualTo((1, 2)));
        var read = await Registry.GetAsync("wear", 2, default);
        Assert.That((read.By, read.Source, read.Metrics["error"], read.Features[1].Name),
            Is.EqualTo(("somebody", "a test", 0.5, "b")));
        Assert.That(await Registry.ContentAsync(read, default), Is.EqualTo(TinyOnnx.WeightedSum(2, 1)));
        Assert.That((await Registry.VersionsAsync("wear", default)).Select(one => one.Version),
            Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public async Task Many_that_register_at_once_get_a_version_each()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => AddAsync("wear", i)));

        Assert.That(made.Select(one => one.Version).Order(), Is.EqualTo(Enumerable.Range(1, 12)));
        foreach (var one in made)
        {
            var read = await Registry.GetAsync("wear", one.Version, default);
            Assert.That(read.Content, Is.EqualTo(one.Content), $"version {one.Version} is its maker's");
        }
    }

    [Test]
    public async Task A_version_with_other_features_is_refused()
    {
        await AddAsync("wear", 1);

        var wrong = Assert.ThrowsAsync<MillraceException>(() => Registry.AddAsync(
            ModelStore.Draft("wear", "b", "a"), TinyOnnx.WeightedSum(1, 1), default));
        Assert.That((wrong!.Error.Code, wrong.Error.Detail),
            Is.EqualTo(("MO-0003", "Version 1 of wear has a, b.")));
    }

    [Test]
    public async Task What_is_promoted_counts_and_a_rollback_goes_back_step_by_step()
    {
        for (var i = 1; i <= 3; i++) await AddAsync("wear", i);
        Assert.That(await Registry.PromotedAsync("wear", default), Is.Null);

        foreach (var version in new[] { 1, 2, 3 }) await Registry.PromoteAsync("wear", version, "me", default);
        await Registry.PromoteAsync("wear", 3, "me", default);
        Assert.That((await Registry.PromotionsAsync("wear", default)).Count, Is.EqualTo(3), "3 was promoted already");

        Assert.That((await Registry.RollbackAsync("wear", "me", default)).Version, Is.EqualTo(2));
        Assert.That((await Registry.RollbackAsync("wear", "me", default)).Version, Is.EqualTo(1));
        var none = Assert.ThrowsAsync<MillraceException>(() => Registry.RollbackAsync("wear", "me", default));
        Assert.That(none!.Error.Code, Is.EqualTo("MO-0005"));

        await Registry.PromoteAsync("wear", 3, "me", default);
        Assert.That((await Registry.RollbackAsync("wear", "me", default)).Version, Is.EqualTo(1));
        Assert.That((await Registry.PromotedAsync("wear", default))!.Version, Is.EqualTo(1));
    }

    [Test]
    public async Task Of_two_that_promote_at_once_the_second_is_told()
    {
        for (var i = 1; i <= 8; i++) await AddAsync("wear", i);

        var outcomes = await Task.WhenAll(Enumerable.Range(1, 8).Select(async version =>
        {
            try
            {
                return await Registry.PromoteAsync("wear", version, $"writer {version}", default);
            }
            catch (MillraceException refused) when (refused.Error.Code == "MO-0004")
            {
                return null;
            }
        }));

        var kept = await Registry.PromotionsAsync("wear", default);
        Assert.That(kept, Is.EquivalentTo(outcomes.OfType<ModelPromotion>()), "what was said is what stands");
        Assert.That(kept.Select(one => one.Number), Is.EqualTo(Enumerable.Range(1, kept.Count)));
    }

    [Test]
    public async Task The_list_has_each_model_once_with_what_is_promoted()
    {
        await AddAsync("wear", 1);
        await AddAsync("wear", 2);
        await AddAsync("wear-2", 1);
        await AddAsync("anomaly", 1);
        await Registry.PromoteAsync("wear", 1, "me", default);

        var list = await Registry.ListAsync(default);
        Assert.That(list.Select(one => (one.Name, one.Versions, one.Promoted)), Is.EqualTo(new[]
        {
            ("anomaly", 1, (int?)null), ("wear", 2, 1), ("wear-2", 1, null),
        }));
    }

    [Test]
    public async Task Of_versions_that_were_never_promoted_the_newest_stay()
    {
        for (var i = 1; i <= 7; i++) await AddAsync("wear", i % 2);
        foreach (var version in new[] { 2, 4 }) await Registry.PromoteAsync("wear", version, "me", default);
        await Registry.RollbackAsync("wear", "me", default);

        Assert.That(await Registry.PruneAsync("wear", 2, default), Is.EqualTo(new[] { 1, 3, 5 }));

        var left = await Registry.VersionsAsync("wear", default);
        Assert.That(left.Select(one => one.Version), Is.EqualTo(new[] { 2, 4, 6, 7 }));
        foreach (var one in left) Assert.That(await Registry.ContentAsync(one, default), Is.Not.Empty);
        Assert.That((await Registry.ListAsync(default))[0].Versions, Is.EqualTo(4));
        Assert.That(await Registry.PruneAsync("wear", 2, default), Is.Empty);
        Assert.That((await AddAsync("wear", 1)).Version, Is.EqualTo(8));
        var gone = Assert.ThrowsAsync<MillraceException>(() => Registry.PromoteAsync("wear", 3, "me", default));
        Assert.That(gone!.Error.Code, Is.EqualTo("MO-0002"));
    }

    [Test]
    public async Task A_version_is_promoted_or_pruned_and_never_both()
    {
        for (var round = 0; round < 20; round++)
        {
            var name = $"wear-{round}";
            for (var i = 0; i < 4; i++) await AddAsync(name, i);
            var pruning = Registry.PruneAsync(name, 1, default);
            var promoting = Enumerable.Range(1, 3).Select(version => TryPromoteAsync(name, version)).ToList();
            await Task.WhenAll([pruning, .. promoting]);

            var left = (await Registry.VersionsAsync(name, default)).Select(one => one.Version).ToHashSet();
            foreach (var promotion in await Registry.PromotionsAsync(name, default))
                Assert.That(left, Does.Contain(promotion.Version), $"round {round}");
            Assert.That(left.Intersect(await pruning), Is.Empty);
        }
    }

    [Test]
    public async Task Content_that_is_not_what_was_registered_is_told()
    {
        var made = await AddAsync("wear", 1);
        await _store.Objects.PutAsync(made.Content.Key, new byte[] { 1, 2, 3 });

        var wrong = Assert.ThrowsAsync<MillraceException>(() => Registry.ContentAsync(made, default));
        Assert.That(wrong!.Error.Code, Is.EqualTo("MO-0006"));
    }

    [TestCase("Wear", "MO-0001")]
    [TestCase("a/b", "MO-0001")]
    [TestCase("none", "MO-0002")]
    public void What_is_no_model_is_told(string name, string code)
    {
        var wrong = Assert.ThrowsAsync<MillraceException>(() => Registry.PromoteAsync(name, 1, "me", default));
        Assert.That(wrong!.Error.Code, Is.EqualTo(code));
    }

    private async Task TryPromoteAsync(string name, int version)
    {
        try
        {
            await Task.Yield();
            await Registry.PromoteAsync(name, version, "me", default);
        }
        catch (MillraceException refused) when (refused.Error.Code is "MO-0002" or "MO-0004")
        {
            // It was pruned, or another was promoted at the same moment.
        }
    }

    private Task<ModelManifest> AddAsync(string name, float weight) =>
        Registry.AddAsync(ModelStore.Draft(name, "a", "b"), TinyOnnx.WeightedSum(weight, 1), default);
}
